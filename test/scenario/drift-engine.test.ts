/** Docker restarts, asked nicely and not: what it ran is there again, once. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Host, startHost } from '../lab/host.ts';
import { ensureWebImage } from '../lab/images.ts';
import { readInventory } from '../lab/inventory.ts';
import { type PrivateEngine, startPrivateEngine } from '../lab/private-engine.ts';
import { ask } from '../lab/probe.ts';
import { manifestOf } from '../soak/workload.ts';

const VERSIONS = { web: 1, store: 1, job: 1 };

let folder: string;
let engine: PrivateEngine;
let host: Host;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-drift-'));
  engine = await startPrivateEngine({ folder: join(folder, 'docker'), restartAfterMs: () => 300 });
  await ensureWebImage(engine.socketPath);
  host = await startHost({ env: { DOCKER_HOST: `unix://${engine.socketPath}` } });
  const ran = await host.slipway(['deploy', '-f', await host.manifest('production', manifestOf(VERSIONS))]);
  if (ran.code !== 0) throw new Error(ran.stdout + ran.stderr);
});

afterAll(async () => {
  try {
    await host?.destroy();
  } finally {
    await engine?.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

it.each(['SIGTERM', 'SIGKILL'] as const)(
  'instances are there again, once, after Docker ended with %s',
  async (signal) => {
    const starts = engine.process.starts();
    expect(engine.process.kill(signal)).toBe(true);
    await expect.poll(() => engine.process.starts(), { timeout: 30_000 }).toBe(starts + 1);
    await expect
      .poll(
        async () => {
          const there = await readInventory(host).catch(() => null);
          const web = there?.servers.length === 2 && there.servers.every((it) => there.addresses.includes(it));
          return { containers: there?.containers, web, links: there?.links, answer: (await ask(host.httpPort)).body };
        },
        { timeout: 60_000, interval: 300 },
      )
      .toEqual({
        containers: ['store.0 1 running', 'web.0 1 running', 'web.1 1 running'],
        web: true,
        links: 3,
        answer: 'web 1',
      });
  },
);
