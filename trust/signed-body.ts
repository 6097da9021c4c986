/** Signed bytes: what a key signed for one purpose, and who it was. A signature for one purpose is none for another. */
import { sign, verify } from 'node:crypto';
import type { z } from 'zod';
import { SlipwayError } from '../schemas/errors.ts';
import { SignedStep } from '../schemas/step.ts';
import { type KeyPair, publicKeyOf } from './keys.ts';

/** Key id → public key (DER, base64). */
export type TrustedKeys = ReadonlyMap<string, string>;

/** The exact bytes that were signed, who signed them, and the ed25519 signature in base64. */
export type SignedBody = SignedStep;

/** How a kind of message is signed, and what to call it in a refusal. */
export interface Kind<T> {
  /** Signed before the body. */
  readonly purpose: string;
  /** Such as `a step`. */
  readonly name: string;
  readonly schema: z.ZodType<T>;
}

/** The value as it crosses the wire: exactly these bytes were signed. */
export function signBody<T>(kind: Kind<T>, value: T, key: KeyPair): SignedBody {
  const body = JSON.stringify(value);
  return { body, keyId: key.keyId, signature: sign(null, payload(kind, body), key.privateKey).toString('base64') };
}

/** The value inside, when a trusted key signed exactly these bytes for this purpose. @throws UNTRUSTED */
export function verifyBody<T>(kind: Kind<T>, message: unknown, trusted: TrustedKeys): T {
  const signed = SignedStep.safeParse(message);
  if (!signed.success) throw new SlipwayError('UNTRUSTED', `${kind.name} came without a signature`);
  const { body, keyId, signature } = signed.data;
  const publicKey = trusted.get(keyId);
  if (publicKey === undefined)
    throw new SlipwayError('UNTRUSTED', `${kind.name} is signed by a key that is not on the list`);
  if (!verify(null, payload(kind, body), publicKeyOf(publicKey), Buffer.from(signature, 'base64')))
    throw new SlipwayError('UNTRUSTED', `the signature of ${kind.name} is wrong`);
  const value = kind.schema.safeParse(parseJson(body));
  if (!value.success) throw new SlipwayError('UNTRUSTED', `${kind.name} has another form than this agent knows`);
  return value.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function payload({ purpose }: { readonly purpose: string }, body: string): Buffer {
  return Buffer.from(purpose + body, 'utf8');
}
