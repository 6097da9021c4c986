/** Signing of steps: an agent acts only on bytes that a trusted key signed. */
import { type SignedStep, Step } from '../schemas/step.ts';
import type { KeyPair } from './keys.ts';
import { type Kind, signBody, type TrustedKeys, verifyBody } from './signed-body.ts';

export type { TrustedKeys } from './signed-body.ts';

const STEP: Kind<Step> = { purpose: 'slipway step 1\n', name: 'a step', schema: Step };

/** The step as it crosses the wire: exactly these bytes were signed. */
export function signStep(step: Step, key: KeyPair): SignedStep {
  return signBody(STEP, step, key);
}

/** The step inside, when a trusted key signed exactly these bytes. @throws UNTRUSTED */
export function verifyStep(message: unknown, trusted: TrustedKeys): Step {
  return verifyBody(STEP, message, trusted);
}
