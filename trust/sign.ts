/** Signing of steps: an agent acts only on bytes that a trusted key signed. */
import { sign, verify } from 'node:crypto';
import { SlipwayError } from '../schemas/errors.ts';
import { SignedStep, Step } from '../schemas/step.ts';
import { type KeyPair, publicKeyOf } from './keys.ts';

/** Tells signatures of steps from signatures of anything else by the same key. */
const PURPOSE = 'slipway step 1\n';

/** Key id → public key (DER, base64). */
export type TrustedKeys = ReadonlyMap<string, string>;

/** The step as it crosses the wire: exactly these bytes were signed. */
export function signStep(step: Step, key: KeyPair): SignedStep {
  const body = JSON.stringify(step);
  return { body, keyId: key.keyId, signature: sign(null, payload(body), key.privateKey).toString('base64') };
}

/** The step inside, when a trusted key signed exactly these bytes. @throws UNTRUSTED */
export function verifyStep(message: unknown, trusted: TrustedKeys): Step {
  const signed = SignedStep.safeParse(message);
  if (!signed.success) throw new SlipwayError('UNTRUSTED', 'a step came without a signature');
  const { body, keyId, signature } = signed.data;
  const publicKey = trusted.get(keyId);
  if (publicKey === undefined) throw new SlipwayError('UNTRUSTED', 'a step is signed by a key that is not on the list');
  if (!verify(null, payload(body), publicKeyOf(publicKey), Buffer.from(signature, 'base64'))) {
    throw new SlipwayError('UNTRUSTED', 'the signature of a step is wrong');
  }
  const step = Step.safeParse(parseJson(body));
  if (!step.success) throw new SlipwayError('UNTRUSTED', 'a signed step has another form than this agent knows');
  return step.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function payload(body: string): Buffer {
  return Buffer.from(PURPOSE + body, 'utf8');
}
