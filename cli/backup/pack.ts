/** A backup as one file: its parts as JSON lines behind a manifest that holds their checksums, gzip'd. Pure. */
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { BACKUP_FORMAT, type BackupContents, BackupManifest, PARTS, type PartName } from '../../schemas/backup.ts';
import { SlipwayError } from '../../schemas/errors.ts';

const NAMES = Object.keys(PARTS) as PartName[];
const NEWLINE = 0x0a;

/** What a manifest says that does not follow from the contents. */
export type BackupOrigin = Pick<BackupManifest, 'slipway' | 'at' | 'exact'>;

export interface Backup {
  readonly manifest: BackupManifest;
  readonly contents: BackupContents;
}

/** The bytes of the file, and its manifest. */
export function packBackup(contents: BackupContents, origin: BackupOrigin): { manifest: BackupManifest; file: Buffer } {
  const texts = NAMES.map((name) => {
    const lines = contents[name].map((it) => `${JSON.stringify(it)}\n`);
    return { name, lineCount: lines.length, bytes: Buffer.from(lines.join(''), 'utf8') };
  });
  const [installation] = contents.installation;
  const manifest: BackupManifest = {
    kind: 'slipway backup',
    format: BACKUP_FORMAT,
    installation: installation?.id ?? '',
    machine: installation?.machine ?? '',
    ...origin,
    parts: texts.map(({ name, lineCount, bytes }) => ({
      name,
      lineCount,
      sizeBytes: bytes.byteLength,
      sha256: sha256(bytes),
    })),
  };
  const plain = [Buffer.from(`${JSON.stringify(manifest)}\n`, 'utf8'), ...texts.map((it) => it.bytes)];
  return { manifest, file: gzipSync(Buffer.concat(plain)) };
}

/** The backup inside, every byte and every line of it checked. @throws BACKUP_INVALID */
export function unpackBackup(file: Uint8Array): Backup {
  const plain = unzip(file);
  const end = plain.indexOf(NEWLINE);
  const manifest = readManifest(plain.subarray(0, Math.max(0, end)).toString('utf8'));
  let from = end + 1;
  const parts = new Map<string, Buffer>();
  for (const { name, sizeBytes, sha256: wanted } of manifest.parts) {
    const bytes = plain.subarray(from, from + sizeBytes);
    from += sizeBytes;
    if (sha256(bytes) !== wanted) throw invalid(`its part \`${name}\` has another checksum than the manifest says`);
    parts.set(name, bytes);
  }
  if (from !== plain.byteLength) throw invalid('it is longer than its manifest says');
  const part = <Name extends PartName>(name: Name) => linesOf(name, parts.get(name));
  return {
    manifest,
    contents: {
      installation: part('installation'),
      keys: part('keys'),
      specs: part('specs'),
      log: part('log'),
      records: part('records'),
      events: part('events'),
    },
  };
}

function unzip(file: Uint8Array): Buffer {
  try {
    return gunzipSync(file);
  } catch (error) {
    throw invalid('it is no gzip file, or not all of one; an encrypted backup has to be decrypted first', error);
  }
}

function readManifest(line: string): BackupManifest {
  const value = parseJson(line) as Partial<Record<'kind' | 'format' | 'slipway', unknown>> | null;
  if (value?.kind !== 'slipway backup') throw invalid('it does not begin with the manifest of a backup');
  if (typeof value.format === 'number' && value.format > BACKUP_FORMAT) {
    throw invalid(
      `it has format ${value.format}, by Slipway ${String(value.slipway)}; this one reads ${BACKUP_FORMAT}`,
    );
  }
  const manifest = BackupManifest.safeParse(value);
  if (!manifest.success) throw invalid(`its manifest is wrong: ${reasonOf(manifest.error)}`);
  return manifest.data;
}

function linesOf<Name extends PartName>(name: Name, bytes: Buffer | undefined): BackupContents[Name] {
  if (bytes === undefined) throw invalid(`its part \`${name}\` is missing`);
  const lines = bytes.toString('utf8').split('\n').slice(0, -1);
  return lines.map((line, i) => {
    const parsed = PARTS[name].safeParse(parseJson(line));
    if (parsed.success) return parsed.data;
    throw invalid(`line ${i + 1} of its part \`${name}\` is not what this version knows: ${reasonOf(parsed.error)}`);
  }) as unknown as BackupContents[Name];
}

/** Where and why, of the first issue. Values are left out: they may be secret. */
function reasonOf(error: { readonly issues: readonly { path: PropertyKey[]; message: string }[] }): string {
  const [first] = error.issues;
  const path = first?.path.map(String).join('.') ?? '';
  return path === '' ? (first?.message ?? 'unreadable') : `${path}: ${first?.message}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function invalid(why: string, cause?: unknown): SlipwayError {
  return new SlipwayError('BACKUP_INVALID', `the backup cannot be used: ${why}`, {}, cause);
}
