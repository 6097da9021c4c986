/** Whom an agent obeys when it is asked to run something in a container. */
import { expect, it } from 'vitest';
import { createExecDoor } from '../../../agent/exec/door.ts';
import { generateKey } from '../../../trust/keys.ts';
import { signExecInput, signExecOrder } from '../../../trust/sign-exec.ts';
import { execOrder } from '../../builders/exec.ts';

const key = generateKey();
const NOW = Date.parse('2026-01-01T12:00:00.000Z');
const at = (ms: number) => new Date(NOW + ms).toISOString();

function door(bornAt = NOW - 3_600_000) {
  const time = { now: NOW };
  const it = createExecDoor({
    installation: '0123abcd',
    machine: 'm1',
    trustedKeys: async () => new Map([[key.keyId, key.publicKey]]),
    now: () => time.now,
    bornAt,
  });
  return {
    it,
    time,
    ask: async (over: object) => await it.order(signExecOrder(execOrder({ at: at(0), ...over }), key)),
  };
}

it('takes a signed order for this machine', async () => {
  expect(await door().ask({ argv: ['id'] })).toMatchObject({ argv: ['id'] });
});

it('refuses the same order a second time', async () => {
  const { it: open } = door();
  const signed = signExecOrder(execOrder({ at: at(0) }), key);
  await open.order(signed);
  await expect(open.order(signed)).rejects.toThrow(/carried out before/);
});

it('refuses an order that was kept for later, for as long as it might still be known', async () => {
  const { it: open, time } = door();
  const signed = signExecOrder(execOrder({ at: at(0) }), key);
  await open.order(signed);
  time.now = NOW + 59_000;
  await expect(open.order(signed)).rejects.toThrow(/carried out before/);
  time.now = NOW + 61_000;
  await expect(open.order(signed)).rejects.toThrow(/good for 60 s/);
});

it('refuses an order that is older than 60 s, or as far in the future', async () => {
  await expect(door().ask({ at: at(-60_001) })).rejects.toThrow(/good for 60 s; are the clocks right/);
  await expect(door().ask({ at: at(60_001) })).rejects.toThrow(/good for 60 s/);
});

it('refuses an order from before it began: an earlier agent may have carried it out', async () => {
  await expect(door(NOW - 1_000).ask({ at: at(-2_000) })).rejects.toThrow(/older than this agent/);
});

it('refuses what is for another machine or installation, input too', async () => {
  const { it: open, ask } = door();
  await expect(ask({ machine: 'm2' })).rejects.toThrow(/this is machine m1/);
  await expect(ask({ installation: 'ffffffff' })).rejects.toThrow(/installation 0123abcd/);
  const input = { installation: '0123abcd', machine: 'm2', id: crypto.randomUUID(), say: { kind: 'stop' as const } };
  await expect(open.input(signExecInput(input, key))).rejects.toThrow(/this is machine m1/);
});

it('refuses a key that is not on the list', async () => {
  const { it: open } = door();
  await expect(open.order(signExecOrder(execOrder({ at: at(0) }), generateKey()))).rejects.toThrow(/not on the list/);
  await expect(open.order(null)).rejects.toThrow(/without a signature/);
});
