/** Both sides of `slipway exec` over messages in memory: the conversation of the command, the server of the agent. */
import { spawn } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Inside } from '../../../agent/docker/port.ts';
import { createExecServer } from '../../../agent/exec/server.ts';
import { converse } from '../../../cli/exec/conversation.ts';
import { systemClock } from '../../../controller/execute/clock.ts';
import { SlipwayError } from '../../../schemas/errors.ts';
import type { ExecOrder } from '../../../schemas/exec.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { createFaultyStore } from '../../../store/memory.ts';
import { generateKey } from '../../../trust/keys.ts';
import { signExecInput, signExecOrder } from '../../../trust/sign-exec.ts';
import { execOrder } from '../../builders/exec.ts';
import { createInside } from '../../fakes/inside.ts';

const key = generateKey();
let folder: string;
let life: AbortController;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-exec-'));
  life = new AbortController();
  setMaxListeners(0, life.signal);
});
afterEach(() => {
  life.abort();
  rmSync(folder, { recursive: true, force: true });
});

/** An agent whose containers run what is given, and a way to ask it. */
function setup(begin: (order: object) => Inside = (it) => createInside(it as never)) {
  const { messages } = createFaultyStore({ clock: systemClock, log: silentLogger }).store;
  const ran: ExecOrder[] = [];
  const order = execOrder();
  const { namespace, slot, deploy } = order;
  // As every control group's path: the processes of these tests are in one, too.
  const container = { id: '/', state: 'running', identity: { namespace, slot, deploy, job: false } };
  let toLose = 0;
  /** The agent's requests: the first answers are lost on the way. */
  const unreliable: typeof messages.request = async (...args) => {
    const answer = await messages.request(...args);
    if (toLose-- > 0) throw new SlipwayError('MACHINE_UNREACHABLE', 'the answer was lost');
    return answer;
  };
  createExecServer({
    installation: '0123abcd',
    machine: 'm1',
    messages: { ...messages, request: unreliable },
    engine: { inside: async (_id, options) => begin(options) },
    world: { containers: () => [container] as never },
    trustedKeys: async () => new Map([[key.keyId, key.publicKey]]),
    folder,
    onRun: (it) => ran.push(it),
    log: silentLogger,
    now: () => Date.now(),
    bornAt: Date.now() - 60_000,
  }).serve(life.signal);

  const sign = { order: (it: ExecOrder) => signExecOrder(it, key), input: (it: never) => signExecInput(it, key) };
  async function ask(
    over: Partial<ExecOrder> = {},
    how: {
      input?: AsyncIterable<Buffer>;
      write?: (stream: string, bytes: Buffer) => Promise<void>;
      signal?: AbortSignal;
      sign?: typeof sign;
    } = {},
  ) {
    const got: Buffer[] = [];
    const exitCode = await converse({
      messages,
      sign: how.sign ?? sign,
      clock: systemClock,
      order: { ...execOrder(), ...over },
      write: how.write ?? (async (_stream, bytes) => void got.push(bytes)),
      input: how.input ?? null,
      onResize: () => {},
      signal: how.signal ?? life.signal,
    });
    return { exitCode, text: Buffer.concat(got).toString('latin1') };
  }
  const loseAnswers = (count: number) => {
    toLose = count;
  };
  return { ask, ran, sign, loseAnswers };
}

async function* bytes(...chunks: Buffer[]) {
  yield* chunks;
}

it('gives output and exit code, and tells the audit who ran what where', async () => {
  const { ask, ran } = setup();
  expect(await ask({ argv: ['echo', 'hi'] })).toEqual({ exitCode: 0, text: 'echo hi' });
  expect(ran).toMatchObject([{ actor: 'cli/ada', slot: 'web.0', argv: ['echo', 'hi'] }]);
});

it('passes large input on in pieces, and gives every byte of it back in order', async () => {
  const { ask } = setup();
  const input = Buffer.from(Array.from({ length: 1_500_000 }, (_, i) => (i * 7) % 251));
  const { text } = await ask({ stdin: true }, { input: bytes(input.subarray(0, 10), input.subarray(10)) });
  expect(Buffer.from(text, 'latin1').equals(input)).toBe(true);
});

it('a reader that is slower than the agent waits for an answer loses nothing and gets nothing twice', async () => {
  const { ask } = setup();
  const got: string[] = [];
  const write = async (_: string, part: Buffer) => {
    got.push(part.toString());
    await sleep(2_500);
  };
  expect(await ask({ argv: ['a'] }, { write })).toMatchObject({ exitCode: 0 });
  expect(got).toEqual(['a']);
});

it('an order that is not signed by a trusted key is refused, with why, and nothing runs', async () => {
  const { ask, ran, sign } = setup();
  const stranger = generateKey();
  const forged = { ...sign, order: (it: ExecOrder) => signExecOrder(it, stranger) };
  await expect(ask({}, { sign: forged })).rejects.toThrow(
    /m1: an exec order is signed by a key that is not on the list/,
  );
  expect(ran).toEqual([]);
});

it('says so when the instance is another one by now', async () => {
  await expect(setup().ask({ slot: 'web.1' })).rejects.toThrow(/web\.1 does not run on m1 any more/);
});

it('runs eight commands at once, and refuses the ninth; what has ended makes room', async () => {
  const { ask } = setup();
  const stop = new AbortController();
  const waiting = Array.from({ length: 8 }, () => ask({ stdin: true }, { signal: stop.signal }));
  await sleep(50);
  await expect(ask()).rejects.toThrow(/8 commands run on m1 already/);
  stop.abort();
  expect((await Promise.all(waiting)).map((it) => it.exitCode)).toEqual(Array(8).fill(null));
  expect(await ask()).toMatchObject({ exitCode: 0 });
});

it('a piece whose answer was lost is sent again, and written once', async () => {
  const { ask, loseAnswers } = setup();
  const begun: string[] = [];
  const write = async (_: string, part: Buffer) => void begun.push(part.toString());
  loseAnswers(2);
  expect(await ask({ argv: ['once'] }, { write })).toMatchObject({ exitCode: 0 });
  expect(begun).toEqual(['once']);
});

it('a reader that wants no more ends the command and what it began', async () => {
  const child = spawn('sh', ['-c', 'sleep 60 & sleep 60'], { detached: true });
  const ended = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
  const { ask } = setup((it) => {
    const inside = createInside({ ...(it as object), stdin: true } as never);
    void inside.write(Buffer.from('x'));
    return { ...inside, state: async () => ({ pid: child.pid ?? null, exitCode: null }) };
  });
  const write = async () => {
    throw new Error('EPIPE');
  };
  expect(await ask({}, { write })).toMatchObject({ exitCode: null });
  expect(await Promise.race([ended, sleep(10_000)])).toBe('SIGTERM');
});
