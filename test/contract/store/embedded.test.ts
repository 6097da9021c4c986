/** The embedded nats-server: started, adopted, started again, replaced, and never two on one store. */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../schemas/logger.ts';
import { systemClock } from '../../../store/clock.ts';
import { findServer } from '../../../store/embedded/find.ts';
import { createEmbeddedNats, type EmbeddedNats } from '../../../store/embedded.ts';
import { connectNats } from '../../../store/nats.ts';
import type { Store } from '../../../store/port.ts';
import { natsServerOfTrixie } from '../../lab/nats-trixie.ts';
import { voided } from './entries.ts';
import { eventually } from './eventually.ts';
import { servers } from './technologies.ts';

const binaries = servers.map(({ name }, i) => ({
  name,
  binaryOf: async () => (i === 0 ? 'nats-server' : ((await natsServerOfTrixie()) ?? '')),
}));

describe.each(binaries)('embedded $name', ({ binaryOf }) => {
  let dir: string;
  let binary: string;
  let life: AbortController;
  let nats: EmbeddedNats;
  beforeEach(async () => {
    binary = await binaryOf();
    dir = mkdtempSync(join(tmpdir(), 'slipway-embedded-'));
    life = new AbortController();
    nats = embedded();
  });
  afterEach(async () => {
    life.abort();
    await embedded().stop();
    rmSync(dir, { recursive: true, force: true });
  });

  function embedded(): EmbeddedNats {
    return createEmbeddedNats({ dir, binary, log: silentLogger, healthEveryMs: 300 });
  }

  async function connect(url: string): Promise<Store> {
    return await connectNats({ url, name: 'test', clock: systemClock, log: silentLogger, storeDir: dir });
  }

  async function pid(): Promise<number> {
    return (await findServer(join(dir, 'nats.conf')))?.pid ?? 0;
  }

  it('lets in who can read the url file, and nobody else', async () => {
    const url = await nats.start(life.signal);
    expect(readFileSync(join(dir, 'url'), 'utf8').trim()).toBe(url);
    for (const name of ['url', 'token', 'nats.conf']) expect(statSync(join(dir, name)).mode & 0o077).toBe(0);
    const store = await connect(url);
    expect(await store.log.append(voided('production', 1))).toEqual({ outcome: 'committed' });
    await store.close();
    const stranger = connectNats({
      url: `nats://127.0.0.1:${new URL(url).port}`,
      name: 'stranger',
      clock: systemClock,
      log: silentLogger,
      timeoutMs: 500,
    });
    await expect(stranger).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' });
  });

  it('is started again when it dies, on the same port, with everything in it', async () => {
    const store = await connect(await nats.start(life.signal));
    await store.log.append(voided('production', 1));
    const first = await pid();
    process.kill(first, 'SIGKILL');
    expect(await store.log.append(voided('production', 2))).toEqual({ outcome: 'committed' });
    expect(await pid()).not.toBe(first);
    expect(await store.log.tip('production')).toBe(2);
    await store.close();
  });

  it('is left running when its supervisor ends, and adopted by the next one', async () => {
    const url = await nats.start(life.signal);
    const first = await pid();
    life.abort();
    await sleep(400);
    expect(await pid()).toBe(first);
    life = new AbortController();
    expect(await embedded().start(life.signal)).toBe(url);
    expect(await pid()).toBe(first);
  });

  it('is started again, with its records, when the next one wants another configuration', async () => {
    const store = await connect(await nats.start(life.signal));
    await store.bucket('machines').put(['m1'], { kept: true });
    await store.close();
    const first = await pid();
    life.abort();
    await sleep(400);
    const config = join(dir, 'nats.conf');
    writeFileSync(config, readFileSync(config, 'utf8').replace('256MB', '255MB'));
    life = new AbortController();
    const again = await connect(await embedded().start(life.signal));
    expect(await pid()).not.toBe(first);
    expect(readFileSync(config, 'utf8')).toContain('256MB');
    expect((await again.bucket('machines').get(['m1']))?.value).toEqual({ kept: true });
    await again.close();
  });

  it('is adopted when two start it at once, and looked after when the first of them dies', async () => {
    const children = [startElsewhere(), startElsewhere()];
    try {
      const urls = await Promise.all(children.map(saidUrl));
      expect(urls[0]).toBe(urls[1]);
      expect(await nats.start(life.signal)).toBe(urls[0]);
      expect(await countServers()).toBe(1);
      for (const child of children) child.kill('SIGKILL');
      const first = await pid();
      await sleep(1_500);
      process.kill(first, 'SIGKILL');
      await eventually(async () => {
        expect(await pid()).not.toBe(0);
        expect(await pid()).not.toBe(first);
      }, 10_000);
      expect(await countServers()).toBe(1);
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  });

  it('is replaced when it has locked up', async () => {
    const store = await connect(await nats.start(life.signal));
    await store.log.append(voided('production', 1));
    const first = await pid();
    process.kill(first, 'SIGSTOP');
    await eventually(async () => {
      expect(await pid()).not.toBe(first);
      expect(await pid()).not.toBe(0);
    }, 15_000);
    await eventually(async () => expect(await store.log.tip('production')).toBe(1), 15_000);
    await store.close();
  });

  it('is not started again after it was stopped, also by another process', async () => {
    await nats.start(life.signal);
    await embedded().stop();
    expect(await pid()).toBe(0);
    await sleep(800);
    expect(await pid()).toBe(0);
  });

  it('takes another port only when its own is gone to somebody else', async () => {
    const url = await nats.start(life.signal);
    life.abort();
    await sleep(300);
    await nats.stop();
    const { createServer } = await import('node:net');
    const squatter = createServer().listen(Number(new URL(url).port), '127.0.0.1');
    await new Promise((resolve) => squatter.once('listening', resolve));
    try {
      life = new AbortController();
      const other = await embedded().start(life.signal);
      expect(other).not.toBe(url);
      expect(readFileSync(join(dir, 'url'), 'utf8').trim()).toBe(other);
    } finally {
      squatter.close();
    }
  });

  function startElsewhere(): ChildProcess {
    const script = new URL('../../lab/embedded-nats-process.ts', import.meta.url);
    return fork(script, [dir, binary], {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  }

  async function countServers(): Promise<number> {
    const { readdir, readFile } = await import('node:fs/promises');
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const lines = await Promise.all(pids.map((it) => readFile(`/proc/${it}/cmdline`, 'utf8').catch(() => '')));
    return lines.filter((line) => line.includes(join(dir, 'nats.conf'))).length;
  }
});

describe('a nats-server that will not do', () => {
  it('is refused with what to install', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'slipway-embedded-'));
    const missing = createEmbeddedNats({ dir, binary: '/nowhere/nats-server', log: silentLogger });
    const start = missing.start(AbortSignal.timeout(1_000));
    await expect(start).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringContaining('apt-get install nats-server'),
    });
    rmSync(dir, { recursive: true, force: true });
  });
});

function saidUrl(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`the process ended with ${code}`)));
  });
}
