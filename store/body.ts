/** Records as bytes: canonical JSON, gzip'd when that pays or when asked for, bounded so that one message holds it. */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { SlipwayError } from '../schemas/errors.ts';

/** One message of NATS holds 1 MiB; the rest is for headers and subject. */
const MAX_BODY_BYTES = 900 * 1024;

const PLAIN_BYTES = 16 * 1024;
const zip = promisify<Uint8Array, Buffer>(gzip);
const unzip = promisify<Uint8Array, Buffer>(gunzip);

/** @throws RELEASE_TOO_LARGE when it is more than 900 KiB after compression. */
export async function packText(text: string, compress: 'always' | 'large'): Promise<Uint8Array> {
  const plain = Buffer.from(text, 'utf8');
  const body = compress === 'always' || plain.byteLength > PLAIN_BYTES ? await zip(plain) : plain;
  if (body.byteLength > MAX_BODY_BYTES) {
    throw new SlipwayError(
      'RELEASE_TOO_LARGE',
      `the record has ${Math.ceil(body.byteLength / 1024)} KiB compressed; the most that can be stored is ${MAX_BODY_BYTES / 1024} KiB`,
      { sizeBytes: body.byteLength },
    );
  }
  return body;
}

/** The text that was packed; told apart by gzip's magic number (RFC 1952), which no JSON begins with. */
export async function unpackText(body: Uint8Array): Promise<string> {
  const zipped = body[0] === 0x1f && body[1] === 0x8b;
  return Buffer.from(zipped ? await unzip(body) : body).toString('utf8');
}
