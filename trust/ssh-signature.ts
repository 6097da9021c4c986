/**
 * Signatures that `ssh-keygen -Y verify`, and so a stock git, checks: ed25519 in the format of OpenSSH. Pure.
 * Source: openssh-portable, PROTOCOL.sshsig.
 */
import { createHash, type KeyObject, sign, verify } from 'node:crypto';
import { keyIdOf, publicKeyOf } from './keys.ts';
import type { TrustedKeys } from './signed-body.ts';

const MAGIC = 'SSHSIG';
const VERSION = 1;
const KEY_TYPE = 'ssh-ed25519';
const HASH = 'sha512';
const BEGIN = '-----BEGIN SSH SIGNATURE-----';
const END = '-----END SSH SIGNATURE-----';
const LINE_LENGTH = 70;
/** What comes before the 32 bytes of the key in the DER of an ed25519 public key (RFC 8410). */
const DER_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const KEY_BYTES = 32;

/** Who made a signature; null: nobody who is trusted, and why. */
export type SshVerdict = { readonly keyId: string } | { readonly keyId: null; readonly why: string };

/** The armoured signature over the message, for one purpose (`git` for commits). @param publicKey DER, base64 */
export function sshSign(
  message: Uint8Array,
  args: { readonly purpose: string; readonly publicKey: string; readonly privateKey: KeyObject },
): string {
  const { purpose, publicKey, privateKey } = args;
  const signature = sign(null, signedBytes(message, purpose, HASH), privateKey);
  const blob = Buffer.concat([
    Buffer.from(MAGIC),
    uint32(VERSION),
    string(sshKeyBlob(publicKey)),
    string(purpose),
    string(''),
    string(HASH),
    string(Buffer.concat([string(KEY_TYPE), string(signature)])),
  ]);
  const lines = blob.toString('base64').match(new RegExp(`.{1,${LINE_LENGTH}}`, 'g')) ?? [];
  return [BEGIN, ...lines, END, ''].join('\n');
}

/** Whether a trusted key signed exactly this message for this purpose. Never throws. */
export function sshVerify(
  message: Uint8Array,
  args: { readonly armoured: string; readonly purpose: string; readonly trusted: TrustedKeys },
): SshVerdict {
  const parts = parse(args.armoured);
  if (parts === null) return { keyId: null, why: 'its signature is none that ssh makes' };
  if (parts.purpose !== args.purpose) return { keyId: null, why: 'its signature is for another purpose' };
  const keyId = keyIdOf(Buffer.concat([DER_PREFIX, parts.key]).toString('base64'));
  const known = args.trusted.get(keyId);
  if (known === undefined) return { keyId: null, why: 'it is signed by a key that is not on the list' };
  if (!verify(null, signedBytes(message, parts.purpose, parts.hash), publicKeyOf(known), parts.signature))
    return { keyId: null, why: 'its signature is wrong' };
  return { keyId };
}

/** `ssh-ed25519 AAAA…`: a public key (DER, base64) as ssh writes it. */
export function sshPublicKey(publicKey: string): string {
  return `${KEY_TYPE} ${sshKeyBlob(publicKey).toString('base64')}`;
}

interface Parts {
  readonly key: Buffer;
  readonly purpose: string;
  readonly hash: 'sha256' | 'sha512';
  readonly signature: Buffer;
}

/** null: not of this format, or not of an ed25519 key. */
function parse(armoured: string): Parts | null {
  const text = armoured.trim();
  if (!text.startsWith(BEGIN) || !text.endsWith(END)) return null;
  const base64 = text.slice(BEGIN.length, -END.length).replaceAll(/\s/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return null;
  const reader = createReader(Buffer.from(base64, 'base64'));
  if (reader.bytes(MAGIC.length)?.toString('latin1') !== MAGIC || reader.uint32() !== VERSION) return null;
  const [key, purpose, reserved, hash, signature] = Array.from({ length: 5 }, () => reader.string());
  if (key === undefined || signature === undefined || reserved === undefined || !reader.atEnd()) return null;
  const raw = typed(key, KEY_BYTES);
  const inner = typed(signature, 64);
  const name = hash?.toString('latin1');
  if (raw === null || inner === null || (name !== 'sha256' && name !== 'sha512')) return null;
  return { key: raw, purpose: purpose?.toString('utf8') ?? '', hash: name, signature: inner };
}

/** The second string of a pair whose first is the key's type, when it has that many bytes. */
function typed(bytes: Buffer, sizeBytes: number): Buffer | null {
  const reader = createReader(bytes);
  const type = reader.string()?.toString('latin1');
  const value = reader.string();
  return type === KEY_TYPE && value?.length === sizeBytes && reader.atEnd() ? value : null;
}

function signedBytes(message: Uint8Array, purpose: string, hash: 'sha256' | 'sha512'): Buffer {
  const digest = createHash(hash).update(message).digest();
  return Buffer.concat([Buffer.from(MAGIC), string(purpose), string(''), string(hash), string(digest)]);
}

function sshKeyBlob(publicKey: string): Buffer {
  const der = publicKeyOf(publicKey).export({ type: 'spki', format: 'der' });
  return Buffer.concat([string(KEY_TYPE), string(der.subarray(DER_PREFIX.length))]);
}

/** A string as RFC 4251 section 5 has it. */
function string(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Reads from the front; undefined: fewer bytes are left. */
function createReader(all: Buffer) {
  let at = 0;
  const bytes = (count: number): Buffer | undefined => {
    if (at + count > all.length) return undefined;
    at += count;
    return all.subarray(at - count, at);
  };
  const uint = () => bytes(4)?.readUInt32BE(0);
  return {
    bytes,
    uint32: uint,
    string(): Buffer | undefined {
      const length = uint();
      return length === undefined ? undefined : bytes(length);
    },
    atEnd: () => at === all.length,
  };
}
