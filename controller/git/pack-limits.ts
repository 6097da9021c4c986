/**
 * Whether a pack of somebody else's may be unpacked: a few kilobytes of it can hold gigabytes. Looks at what each object
 * says of its size before it is inflated.
 */
import { inflateSync } from 'node:zlib';
import { unavailable } from './unavailable.ts';

/** Limits of a pack, as its objects are once they are unpacked. */
export interface PackLimits {
  readonly objectBytes: number;
  readonly totalBytes: number;
}

const HEADER_BYTES = 12;
const TRAILER_BYTES = 20;
const OFFSET_DELTA = 6;
const REF_DELTA = 7;
const OID_BYTES = 20;

/** Resolves when all of it is within the limits. @throws SOURCE_UNAVAILABLE */
export async function checkPack(pack: Buffer, limits: PackLimits, breath: () => Promise<void>): Promise<void> {
  let totalBytes = 0;
  const count = (sizeBytes: number) => {
    totalBytes += sizeBytes;
    if (sizeBytes > limits.objectBytes) throw tooLarge('an object of more than', limits.objectBytes);
    if (totalBytes > limits.totalBytes) throw tooLarge('more than', limits.totalBytes);
  };
  const end = pack.length - TRAILER_BYTES;
  const objects = pack.length < HEADER_BYTES + TRAILER_BYTES ? 0 : pack.readUInt32BE(8);
  let at = HEADER_BYTES;
  for (let i = 0; i < objects; i++) {
    await breath();
    const type = ((pack[at] ?? 0) >> 4) & 7;
    const { value, next } = varint(pack, at, 4);
    count(value);
    at = next;
    if (type === OFFSET_DELTA) at = varint(pack, at, 7).next;
    if (type === REF_DELTA) at += OID_BYTES;
    const { bytes, consumed } = inflated(pack.subarray(at, end), value);
    if (type === OFFSET_DELTA || type === REF_DELTA) count(varint(bytes, varint(bytes, 0, 7).next, 7).value);
    at += consumed;
  }
}

/** Seven bits a byte, the first byte has `firstBits` (git's pack-format(5)). */
function varint(bytes: Uint8Array, from: number, firstBits: number): { value: number; next: number } {
  let value = (bytes[from] ?? 0) & (2 ** firstBits - 1);
  let factor = 2 ** firstBits;
  let at = from;
  while (((bytes[at] ?? 0) & 0x80) !== 0) {
    at += 1;
    value += ((bytes[at] ?? 0) & 0x7f) * factor;
    factor *= 128;
  }
  return { value, next: at + 1 };
}

function inflated(bytes: Uint8Array, sizeBytes: number): { bytes: Uint8Array; consumed: number } {
  try {
    const found: unknown = inflateSync(bytes, { info: true, maxOutputLength: sizeBytes + 1 });
    const { buffer, engine } = found as { buffer: Uint8Array; engine: { bytesWritten: number } };
    return { bytes: buffer, consumed: engine.bytesWritten };
  } catch (error) {
    throw unavailable('What was fetched is damaged: an object of it cannot be unpacked', error);
  }
}

function tooLarge(what: string, bytes: number): Error {
  return unavailable(`What was to be fetched holds ${what} ${Math.floor(bytes / 2 ** 20)} MiB`);
}
