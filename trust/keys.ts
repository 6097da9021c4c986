/** Key pairs: ed25519, made once, kept in files that only their owner reads. Private keys never enter a record. */
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SlipwayError } from '../schemas/errors.ts';
import { ensureKeyFile } from './key-file.ts';

export interface KeyPair {
  /** First 16 hex digits of sha256 over the public key's DER (SubjectPublicKeyInfo). */
  readonly keyId: string;
  /** Public key: DER, base64. */
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

/** The pair of a file; made when the file is missing. @throws UNTRUSTED when the file holds no ed25519 key */
export async function loadOrCreateKey(path: string): Promise<KeyPair> {
  const present = await readIfThere(path);
  if (present !== null) return pairOf(parse(path, present));
  await ensureKeyFile(path, () =>
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  );
  // Another process may have been first: the file decides.
  return pairOf(parse(path, (await readIfThere(path)) ?? ''));
}

/** The pair of a file; null: there is no such file. @throws UNTRUSTED when the file holds no ed25519 key */
export async function readKey(path: string): Promise<KeyPair | null> {
  const present = await readIfThere(path);
  return present === null ? null : pairOf(parse(path, present));
}

/** A key that is there but cannot be read must not be taken for a missing one. */
async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw new SlipwayError('UNTRUSTED', `${path} cannot be read`, {}, error);
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null;
}

/** A pair that lives only in memory. */
export function generateKey(): KeyPair {
  return pairOf(generateKeyPairSync('ed25519').privateKey);
}

/** How a public key (DER, base64) is called. */
export function keyIdOf(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex').slice(0, 16);
}

/** The key of DER in base64. @throws UNTRUSTED when it is none of ed25519 */
export function publicKeyOf(publicKey: string): KeyObject {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), type: 'spki', format: 'der' });
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (error) {
    throw new SlipwayError('UNTRUSTED', 'a public key cannot be read', {}, error);
  }
  throw new SlipwayError('UNTRUSTED', 'a public key is not an ed25519 key');
}

function parse(path: string, pem: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // The parser's message may quote the file: it is not passed on.
  }
  throw new SlipwayError('UNTRUSTED', `${path} holds no ed25519 private key`);
}

function pairOf(privateKey: KeyObject): KeyPair {
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const publicKey = der.toString('base64');
  return { keyId: keyIdOf(publicKey), publicKey, privateKey };
}
