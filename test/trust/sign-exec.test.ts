/** Signatures of exec orders: for one purpose, over exact bytes, by a key on the list. */
import { expect, it } from 'vitest';
import { generateKey } from '../../trust/keys.ts';
import { signStep, verifyStep } from '../../trust/sign.ts';
import { signExecInput, signExecOrder, verifyExecInput, verifyExecOrder } from '../../trust/sign-exec.ts';
import { execOrder } from '../builders/exec.ts';

const key = generateKey();
const trusted = new Map([[key.keyId, key.publicKey]]);
const untrusted = expect.objectContaining({ code: 'UNTRUSTED' });
const order = execOrder();

it('gives the order that was signed, also after it crossed the wire', () => {
  const wire: unknown = JSON.parse(JSON.stringify(signExecOrder(order, key)));
  expect(verifyExecOrder(wire, trusted)).toEqual(order);
});

it('refuses an order that was changed, is by another key, or is not signed', () => {
  const signed = signExecOrder(order, key);
  const changed = { ...signed, body: signed.body.replace('"ls"', '"rm"') };
  for (const it of [changed, signExecOrder(order, generateKey()), { ...signed, signature: '' }, order, null])
    expect(() => verifyExecOrder(it, trusted)).toThrow(untrusted);
});

it('takes no signature that was given for something else', () => {
  const { installation, machine, id } = order;
  const input = { installation, machine, id, say: { kind: 'stop' as const } };
  const step = { ...order } as never;
  expect(() => verifyExecOrder(signStep(step, key), trusted)).toThrow(/signature of an exec order is wrong/);
  expect(() => verifyStep(signExecOrder(order, key), trusted)).toThrow(/signature of a step is wrong/);
  expect(() => verifyExecInput(signExecOrder(input as never, key), trusted)).toThrow(
    /signature of exec input is wrong/,
  );
  expect(verifyExecInput(signExecInput(input, key), trusted)).toEqual(input);
});

it('refuses an order whose inbox is none, so that no agent publishes into the log', () => {
  const elsewhere = execOrder({ inbox: ['log', 'production', '7'] });
  expect(() => verifyExecOrder(signExecOrder(elsewhere, key), trusted)).toThrow(untrusted);
});
