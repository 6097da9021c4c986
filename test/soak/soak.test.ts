/**
 * `npm run test:soak`: a stream of commits while controller, agent, nats-server, HAProxy and dockerd are killed at random
 * moments for ten minutes. SLIPWAY_SOAK_SECONDS: another time. SLIPWAY_SOAK_SEED: the order of another run again.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGitRepo, type GitRepo } from '../lab/git-repo.ts';
import { type Host, startHost } from '../lab/host.ts';
import { ensureWebImage } from '../lab/images.ts';
import { type PrivateEngine, startPrivateEngine } from '../lab/private-engine.ts';
import { type Prober, startProber } from '../lab/probe.ts';
import { expectConverged, expectTidy, expectTrueHistory, expectTrustyAnswers } from './checks.ts';
import { expectGuard } from './guard.ts';
import { type Chance, createChance } from './random.ts';
import { type Story, startStory } from './story.ts';
import { superviseAll, type Victims } from './victims.ts';
import { instancesOf } from './workload.ts';

const SECONDS = Number(process.env['SLIPWAY_SOAK_SECONDS'] ?? 600);
const SEED = Number(process.env['SLIPWAY_SOAK_SEED'] ?? Math.floor(Date.now() / 1000));

describe(`${SECONDS} seconds of kills (SLIPWAY_SOAK_SEED=${SEED})`, () => {
  const chance: Chance = createChance(SEED);
  const restartAfterMs = () => chance.between(50, 1_500);
  let folder: string;
  let engine: PrivateEngine;
  let host: Host;
  let repo: GitRepo;
  let victims: Victims;
  let prober: Prober;
  let story: Story;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-soak-'));
    engine = await startPrivateEngine({ folder: join(folder, 'docker'), restartAfterMs, liveRestore: true });
    await ensureWebImage(engine.socketPath);
    host = await startHost({ env: { DOCKER_HOST: `unix://${engine.socketPath}` } });
    repo = await createGitRepo({ dir: join(folder, 'fleet') });
  });
  afterAll(async () => {
    await prober?.stop();
    await victims?.stop();
    try {
      await host?.destroy();
    } finally {
      await engine?.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('knows two writers of a volume when it sees them', async () => {
    await expectGuard(engine, join(folder, 'guard'));
  });

  it('serves all the time, and is at the last commit when it is quiet again', async () => {
    story = startStory({ host, repo, chance });
    await story.begin();
    victims = await superviseAll({ host, engine, restartAfterMs });
    await story.settled();
    prober = startProber({ port: host.httpPort });
    await story.run({ seconds: SECONDS, victims, prober });
    await expectConverged(host, instancesOf(story.versions()));
    await sleep(2_000);
    await prober.stop();
    await story.report(prober);
    await expectTrueHistory(host);
    await expectTrustyAnswers(host, prober.answers, story.kills());
    await expectTidy({ host, engine });
  });

  it('leaves nothing behind', async () => {
    await victims.stop();
    const down = await host.slipway(['down', '--purge']);
    expect(down.code, down.stdout + down.stderr).toBe(0);
    expect(await engine.docker(['ps', '--all', '--quiet'])).toBe('');
    expect(await engine.docker(['network', 'ls', '--format', '{{.Name}}'])).not.toContain('slipway-');
    expect(await readFile('/proc/net/dev', 'utf8')).not.toContain(`${host.installation.bridge}:`);
  });
});
