/** The store on a disk that is full: said by name, nothing lost, and well again when there is space. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../schemas/logger.ts';
import { systemClock } from '../../../store/clock.ts';
import { connectNats } from '../../../store/nats.ts';
import { startNats } from '../../lab/nats.ts';
import { natsServerOfTrixie } from '../../lab/nats-trixie.ts';
import { voided } from './entries.ts';
import { servers } from './technologies.ts';

const binaries = servers.map(({ name }, i) => ({
  name,
  binary: async () => (i === 0 ? 'nats-server' : ((await natsServerOfTrixie()) ?? '')),
}));

describe.skipIf(!canMount())('a full disk', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'slipway-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'slipway-test', dir]);
  });
  afterEach(() => {
    execFileSync('umount', ['-l', dir]);
    rmSync(dir, { recursive: true, force: true });
  });

  it.each(binaries)('under $name is STATE_FULL until there is space again', async ({ binary }) => {
    const nats = await startNats({ binary: await binary(), storeDir: dir });
    const deps = { name: 'test', clock: systemClock, log: silentLogger };
    const store = await connectNats({ ...deps, url: nats.url, storeDir: dir });
    try {
      await store.log.append(voided('production', 1));
      fill(join(dir, 'filler'));
      await sleep(150);
      const appending = store.log.append(voided('production', 2), AbortSignal.timeout(10_000));
      await expect(appending).rejects.toMatchObject({ code: 'STATE_FULL' });
      await expect(store.bucket('heads').put(['k'], 1)).rejects.toMatchObject({ code: 'STATE_FULL' });
      expect(await store.log.tip('production')).toBe(1);
      expect(await store.bucket('observed').put(['m1'], 'still seen')).toBeGreaterThan(0);
      rmSync(join(dir, 'filler'));
      await sleep(150);
      expect(await store.log.append(voided('production', 2))).toEqual({ outcome: 'committed' });
      await nats.restart();
      expect(await store.log.tip('production')).toBe(2);
    } finally {
      await store.close();
      await nats.stop();
    }
  });

  it.each(binaries)('under $name is STATE_FULL when our own records filled it', async ({ binary }) => {
    const nats = await startNats({ binary: await binary(), storeDir: dir });
    const store = await connectNats({ url: nats.url, name: 'test', clock: systemClock, log: silentLogger });
    try {
      const fillUp = async () => {
        for (let n = 1; n < 100; n++) {
          await store.log.append(voided('production', n, { reason: randomBytes(600_000).toString('base64') }));
        }
      };
      await expect(fillUp()).rejects.toMatchObject({ code: 'STATE_FULL' });
      const tip = await store.log.tip('production');
      expect(tip).toBeGreaterThan(1);
      expect(await store.log.entries('production')).toHaveLength(tip);
    } finally {
      await store.close();
      await nats.stop();
    }
  });
});

function canMount(): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'slipway-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'slipway-test', dir], { stdio: 'ignore' });
    execFileSync('umount', [dir]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function fill(path: string): void {
  const chunk = Buffer.alloc(64 * 1024);
  for (let i = 0; i < 1_000; i++) {
    try {
      writeFileSync(path, chunk, { flag: 'a' });
    } catch {
      return;
    }
  }
  throw new Error('the small disk is not small');
}
