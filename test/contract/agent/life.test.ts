/** The agent as a process, on real Docker, NATS, HAProxy and resolver. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Lab, openLab, pause } from './lab.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
  lab.startAgent();
}, 60_000);
afterAll(async () => {
  await lab.close();
}, 60_000);

const running = async () => (await lab.containers()).filter((it) => it.state === 'running');

it('brings a first release up: container, readiness, gateway', async () => {
  await lab.deploy(lab.service('one'));
  expect(await lab.get()).toBe('one');
  expect(await running()).toHaveLength(1);
});

it('replaces it without a failed request, and removes the old container', async () => {
  const answers: (string | null)[] = [];
  let going = true;
  const load = (async () => {
    while (going) answers.push(await lab.get());
  })();
  await lab.deploy(lab.service('two'));
  await pause(100);
  going = false;
  await load;
  expect(answers).not.toContain(null);
  expect([...new Set(answers)]).toEqual(['one', 'two']);
  expect(await running()).toHaveLength(1);
});

it('fails a candidate that exits at once with its exit code and last lines; the old one serves', async () => {
  const deploy = lab.newDeploy();
  const broken = lab.service('three', { template: { env: { FAIL: '1', VERSION: 'three' } } });
  const reply = await lab.ask({ verb: 'start', order: { row: lab.row(broken, deploy), spec: broken } }, deploy);
  expect(reply).toMatchObject({ state: 'failed', code: 'EXITED', evidence: [{ exitCode: 3 }] });
  expect(JSON.stringify(reply)).toContain('broken on purpose');
  const n = await lab.voidDeploy(deploy);
  expect(await lab.ask({ verb: 'close', n }, deploy)).toMatchObject({ state: 'done' });
  expect(await lab.containers()).toHaveLength(1);
  expect(await lab.get()).toBe('two');
});

it('heals a container that is killed, removed, paused or renamed', async () => {
  for (const meddle of ['kill', 'remove', 'pause', 'rename'] as const) {
    const [it] = await running();
    if (it === undefined) throw new Error('nothing runs');
    if (meddle === 'kill') await lab.engine.kill(it.id, 'SIGKILL');
    if (meddle === 'remove') await lab.engine.remove(it.id);
    if (meddle === 'rename') await lab.engine.rename(it.id, `not-${it.name}`);
    if (meddle === 'pause') await docker('pause', it.id);
    await expect
      .poll(async () => (await running()).map((one) => one.name), { timeout: 6000, message: meddle })
      .toEqual([it.name]);
    await expect.poll(() => lab.get(), { timeout: 5000 }).toBe('two');
  }
});

it('is adopted by the next agent without touching a container, and serves while no agent runs', async () => {
  const before = await running();
  await lab.stopAgent('SIGKILL');
  expect(await lab.get()).toBe('two');
  lab.startAgent();
  const answers: (string | null)[] = [];
  const until = Date.now() + 4000;
  while (Date.now() < until) {
    answers.push(await lab.get());
    await pause(20);
  }
  expect(new Set(answers)).toEqual(new Set(['two']));
  expect((await running()).map((it) => [it.id, it.startedAt])).toEqual(before.map((it) => [it.id, it.startedAt]));
});

it('heals from its journal while NATS is down, also when it starts then', async () => {
  await lab.stopAgent();
  await lab.nats.stop();
  for (const it of await running()) await lab.engine.remove(it.id);
  expect(await lab.get()).toBe(null);
  lab.startAgent();
  await expect.poll(() => lab.get(), { timeout: 15_000 }).toBe('two');
  await lab.nats.start(new AbortController().signal);
});

it('works on when NATS is back: swap, and back when the new one is not ready', async () => {
  await lab.deploy(lab.service('three'));
  expect(await lab.get()).toBe('three');
  const [old] = await running();

  const failing = lab.newDeploy();
  const broken = lab.service('four', { template: { env: { FAIL: '1', VERSION: 'four' } } });
  const stops = (await lab.store.log.live('production'))?.slots ?? [];
  const swap = (spec: typeof broken, deploy: string) => ({
    verb: 'swap' as const,
    stops,
    starts: [{ row: lab.row(spec, deploy), spec }],
    deadlineMs: 10_000,
  });
  expect(await lab.ask(swap(broken, failing), failing)).toMatchObject({ state: 'failed', code: 'EXITED' });
  await expect.poll(() => lab.get(), { timeout: 5000 }).toBe('three');
  expect((await running()).map((it) => it.id)).toEqual([old?.id]);
  const n = await lab.voidDeploy(failing);
  await lab.ask({ verb: 'close', n }, failing);

  const good = lab.newDeploy();
  const next = lab.service('four');
  expect(await lab.ask(swap(next, good), good)).toMatchObject({ state: 'done' });
  await expect.poll(() => lab.get(), { timeout: 5000 }).toBe('four');
  const m = await lab.commit([next], good);
  for (const verb of ['apply', 'retire', 'close'] as const) {
    expect(await lab.ask({ verb, n: m }, good)).toMatchObject({ state: 'done' });
  }
  expect(await lab.containers()).toHaveLength(1);
});

it('runs a job once and reports its end', async () => {
  const deploy = lab.newDeploy();
  const job = lab.service('job', { name: 'migrate', job: true, routes: [], template: { env: { ONCE: '0' } } });
  const action = {
    verb: 'job' as const,
    service: 'migrate',
    template: lab.row({ ...job, job: false }, deploy).template,
    specDigest: lab.row({ ...job, job: false }, deploy).spec,
    spec: job,
  };
  expect(await lab.ask(action, deploy)).toMatchObject({ state: 'done', exitCode: 0 });
  const n = await lab.voidDeploy(deploy);
  expect(await lab.ask({ verb: 'close', n }, deploy)).toMatchObject({ state: 'done' });
});

it('reports what it sees', async () => {
  const read = async () => (await lab.store.bucket('observed').get(['m1']))?.value;
  await expect.poll(read, { timeout: 5000 }).toMatchObject({
    machine: 'm1',
    instances: [{ service: 'web', state: 'ready', viaSwap: false }],
    gateway: { httpPort: lab.installation.httpPort, problems: [] },
  });
});

async function docker(...argv: string[]): Promise<void> {
  const { execFile } = await import('node:child_process');
  await new Promise<void>((resolve, reject) => {
    execFile('docker', argv, (error) => (error === null ? resolve() : reject(error)));
  });
}
