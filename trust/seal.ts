/**
 * Sealing: secrets at rest under the cluster's key (AES-256-GCM), and on their way under a machine's key (HPKE base
 * mode, RFC 9180: DHKEM(P-256), HKDF-SHA256, AES-256-GCM). What is sealed opens only under the name it was sealed for.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, HkdfSha256 } from '@hpke/core';
import { canonicalJson } from '../schemas/canonical.ts';
import { SlipwayError } from '../schemas/errors.ts';

/** What a sealed value is, and whose: bound to it, so that nobody can put one secret in the place of another. */
export interface SealedFor {
  readonly installation: string;
  readonly namespace: string;
  readonly name: string;
  readonly version: number;
}

/** 32 bytes. */
export type ClusterKey = Buffer;

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Base64 of nonce, ciphertext and tag. */
export function sealForCluster(value: Buffer, key: ClusterKey, about: SealedFor): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(bound('cluster', about));
  return Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

/** @throws SECRET_UNREADABLE with another key, or when it was sealed for something else */
export function openForCluster(sealed: string, key: ClusterKey, about: SealedFor): Buffer {
  try {
    const bytes = Buffer.from(sealed, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
      .setAAD(bound('cluster', about))
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch (error) {
    throw unreadable(about, error);
  }
}

/** A machine's pair, each part in base64. */
export interface MachineKeys {
  readonly publicKey: string;
  readonly privateKey: string;
}

export async function generateMachineKeys(): Promise<MachineKeys> {
  const { kem } = suite();
  const pair = await kem.generateKeyPair();
  return {
    publicKey: base64(await kem.serializePublicKey(pair.publicKey)),
    privateKey: base64(await kem.serializePrivateKey(pair.privateKey)),
  };
}

/** Only the holder of the private key opens it. Sealing the same value twice gives two texts. */
export async function sealForMachine(
  value: Buffer,
  publicKey: string,
  about: SealedFor,
): Promise<{ readonly encapsulated: string; readonly sealed: string }> {
  const it = suite();
  const recipientPublicKey = await it.kem.deserializePublicKey(bytesOf(Buffer.from(publicKey, 'base64')));
  const { enc, ct } = await it.seal({ recipientPublicKey }, bytesOf(value), bytesOf(bound('machine', about)));
  return { encapsulated: base64(enc), sealed: base64(ct) };
}

/** @throws SECRET_UNREADABLE with another machine's key, or when it was sealed for something else */
export async function openForMachine(
  box: { readonly encapsulated: string; readonly sealed: string },
  privateKey: string,
  about: SealedFor,
): Promise<Buffer> {
  try {
    const it = suite();
    const recipientKey = await it.kem.deserializePrivateKey(bytesOf(Buffer.from(privateKey, 'base64')));
    const enc = bytesOf(Buffer.from(box.encapsulated, 'base64'));
    const sealed = bytesOf(Buffer.from(box.sealed, 'base64'));
    return Buffer.from(await it.open({ recipientKey, enc }, sealed, bytesOf(bound('machine', about))));
  } catch (error) {
    throw unreadable(about, error);
  }
}

function suite(): CipherSuite {
  return new CipherSuite({ kem: new DhkemP256HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
}

function bound(purpose: 'cluster' | 'machine', about: SealedFor): Buffer {
  const { installation, namespace, name, version } = about;
  return Buffer.from(`slipway secret 1 ${purpose}\n${canonicalJson({ installation, namespace, name, version })}`);
}

/** A copy of its own: small buffers share one pool, and the library takes whole array buffers. */
function bytesOf(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}

function base64(bytes: ArrayBuffer): string {
  return Buffer.from(bytes).toString('base64');
}

function unreadable({ namespace, name, version }: SealedFor, cause: unknown): SlipwayError {
  return new SlipwayError(
    'SECRET_UNREADABLE',
    `version ${version} of secret ${name} of ${namespace} cannot be opened with the key of this machine: was the key replaced?`,
    {},
    cause,
  );
}
