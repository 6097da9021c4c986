/**
 * How large an object is, without loading it: from the header of the loose file, or from the pack entry. A manifest of
 * 100 MB is refused by this before a byte of it is read. Formats: gitformat-pack(5), index version 2.
 */
import { type FileHandle, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { constants, inflateSync } from 'node:zlib';

const HEAD_BYTES = 256;
const IDX_MAGIC = 0xff744f63;
const FANOUT_AT = 8;
const OIDS_AT = FANOUT_AT + 256 * 4;
const OFS_DELTA = 6;
const REF_DELTA = 7;
const OID_BYTES = 20;

/** Sizes of objects in one git directory. */
export interface ObjectSizes {
  /** null: not found where this looks, so it has to be read to know. */
  sizeBytes(oid: string): Promise<number | null>;
  /** Forget the pack indexes, which are kept between calls. */
  forget(): void;
}

/** Reads sizes below `gitdir`. */
export function createObjectSizes(gitdir: string): ObjectSizes {
  const indexes = new Map<string, Buffer>();
  const folder = join(gitdir, 'objects/pack');

  async function inPacks(oid: string): Promise<number | null> {
    const names = (await readdir(folder).catch(() => [])).filter((it) => it.endsWith('.idx'));
    for (const name of indexes.keys()) if (!names.includes(name)) indexes.delete(name);
    for (const name of names) {
      const index = indexes.get(name) ?? (await readFile(join(folder, name)));
      indexes.set(name, index);
      const offset = offsetInPack(index, oid);
      if (offset !== null)
        return await withFile(join(folder, name.replace(/idx$/, 'pack')), (it) => entrySize(it, offset));
    }
    return null;
  }

  return {
    async sizeBytes(oid) {
      try {
        return await withFile(join(gitdir, 'objects', oid.slice(0, 2), oid.slice(2)), looseSize);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return null;
      }
      return await inPacks(oid).catch(() => null);
    },
    forget: () => indexes.clear(),
  };
}

async function looseSize(file: FileHandle): Promise<number | null> {
  const text = inflateStart(await readAt(file, 0)).toString('latin1', 0, 32);
  const size = /^[a-z]+ (\d+)\0/.exec(text)?.[1];
  return size === undefined ? null : Number(size);
}

async function entrySize(file: FileHandle, offset: number): Promise<number> {
  const bytes = await readAt(file, offset);
  const first = bytes.readUInt8(0);
  const type = (first >> 4) & 0b111;
  let at = 1;
  let size = first & 0b1111;
  for (let more = first & 0x80, factor = 16; more !== 0; factor *= 128) {
    const byte = bytes.readUInt8(at++);
    size += (byte & 0x7f) * factor;
    more = byte & 0x80;
  }
  if (type === REF_DELTA) return deltaTargetSize(bytes.subarray(at + OID_BYTES));
  if (type !== OFS_DELTA) return size;
  while ((bytes.readUInt8(at++) & 0x80) !== 0);
  return deltaTargetSize(bytes.subarray(at));
}

/** A delta opens with the size of its base and the size of what it makes. */
function deltaTargetSize(deflated: Buffer): number {
  const delta = inflateStart(deflated);
  let at = 0;
  const number = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = delta.readUInt8(at++);
      value += (byte & 0x7f) * factor;
      if ((byte & 0x80) === 0) return value;
    }
  };
  number();
  return number();
}

/** Offset of the object in the pack of this index; null: it is not there. */
export function offsetInPack(index: Buffer, oid: string): number | null {
  if (index.readUInt32BE(0) !== IDX_MAGIC || index.readUInt32BE(4) !== 2) return null;
  const wanted = Buffer.from(oid, 'hex');
  const bucket = wanted.readUInt8(0);
  const count = index.readUInt32BE(FANOUT_AT + 255 * 4);
  let low = bucket === 0 ? 0 : index.readUInt32BE(FANOUT_AT + (bucket - 1) * 4);
  let high = index.readUInt32BE(FANOUT_AT + bucket * 4);
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = OIDS_AT + middle * OID_BYTES;
    const order = index.compare(wanted, 0, OID_BYTES, at, at + OID_BYTES);
    if (order === 0) return offsetAt(index, count, middle);
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return null;
}

function offsetAt(index: Buffer, count: number, position: number): number {
  const offsetsAt = OIDS_AT + count * (OID_BYTES + 4);
  const short = index.readUInt32BE(offsetsAt + position * 4);
  if (short < 0x80000000) return short;
  return Number(index.readBigUInt64BE(offsetsAt + count * 4 + (short - 0x80000000) * 8));
}

async function readAt(file: FileHandle, position: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, position);
  return buffer.subarray(0, bytesRead);
}

/** What the beginning of a zlib stream inflates to; the rest of the stream is not needed. */
function inflateStart(deflated: Buffer): Buffer {
  return inflateSync(deflated, { finishFlush: constants.Z_SYNC_FLUSH });
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'r');
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
