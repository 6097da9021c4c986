/** Signing of what `slipway exec` asks: an order, and what is said to the command that it began. */
import { ExecInput, ExecOrder } from '../schemas/exec.ts';
import type { KeyPair } from './keys.ts';
import { type Kind, type SignedBody, signBody, type TrustedKeys, verifyBody } from './signed-body.ts';

const ORDER: Kind<ExecOrder> = { purpose: 'slipway exec 1\n', name: 'an exec order', schema: ExecOrder };
const INPUT: Kind<ExecInput> = { purpose: 'slipway exec input 1\n', name: 'exec input', schema: ExecInput };

/** The order as it crosses the wire. */
export function signExecOrder(order: ExecOrder, key: KeyPair): SignedBody {
  return signBody(ORDER, order, key);
}

/** The order inside. @throws UNTRUSTED */
export function verifyExecOrder(message: unknown, trusted: TrustedKeys): ExecOrder {
  return verifyBody(ORDER, message, trusted);
}

/** What is said, as it crosses the wire. */
export function signExecInput(input: ExecInput, key: KeyPair): SignedBody {
  return signBody(INPUT, input, key);
}

/** What is said. @throws UNTRUSTED */
export function verifyExecInput(message: unknown, trusted: TrustedKeys): ExecInput {
  return verifyBody(INPUT, message, trusted);
}
