/**
 * Backups: one file that holds an installation's identity, keys and state. A gzip'd text of JSON lines: the manifest,
 * then the lines of every part in the order of `PARTS`.
 */
import { z } from 'zod';
import { SlipwayEvent } from './event.ts';
import { Installation } from './installation.ts';
import { Digest } from './names.ts';
import { LogEntry } from './release.ts';

/** Raised when an older Slipway could no longer read what a newer one writes. */
export const BACKUP_FORMAT = 1;

const staysInside = (path: string) =>
  path.split('/').every((it) => it !== '' && !/^\.\.?$/.test(it) && !it.includes('\0'));

/** A file below keys/, by a path that cannot lead out of the folder. */
export const KeyFile = z.strictObject({
  path: z.string().refine(staysInside, 'is no path below keys/'),
  mode: z.int().min(0).max(0o777),
  base64: z.base64(),
});
export type KeyFile = z.infer<typeof KeyFile>;

/** A spec under the digest of its canonical JSON. */
export const StoredSpec = z.strictObject({ digest: Digest, value: z.unknown() });
export type StoredSpec = z.infer<typeof StoredSpec>;

/** A record of a KV bucket. */
export const StoredRecord = z.strictObject({ bucket: z.string(), key: z.array(z.string()).min(1), value: z.unknown() });
export type StoredRecord = z.infer<typeof StoredRecord>;

/** Part → what each of its lines is. The log's lines are in order of namespace and number, events oldest first. */
export const PARTS = {
  installation: Installation,
  keys: KeyFile,
  specs: StoredSpec,
  log: LogEntry,
  records: StoredRecord,
  events: SlipwayEvent,
} as const satisfies Record<string, z.ZodType>;
export type PartName = keyof typeof PARTS;

/** Everything that a backup holds. */
export type BackupContents = { readonly [Name in PartName]: readonly z.infer<(typeof PARTS)[Name]>[] };

const PartSummary = z.strictObject({
  name: z.string(),
  lineCount: z.int().min(0),
  sizeBytes: z.int().min(0),
  sha256: Digest,
});

/** The first line. `exact`: nothing changed while it was read; otherwise see cli/backup/read-state.ts. */
export const BackupManifest = z.strictObject({
  kind: z.literal('slipway backup'),
  format: z.literal(BACKUP_FORMAT),
  installation: z.string(),
  machine: z.string(),
  slipway: z.string(),
  at: z.iso.datetime(),
  exact: z.boolean(),
  parts: z.array(PartSummary),
});
export type BackupManifest = z.infer<typeof BackupManifest>;
