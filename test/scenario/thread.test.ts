/** Gate (a): a commit changes what a user sees, on real git, NATS, Docker and HAProxy. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { webManifest, webService } from '../kill/lab.ts';
import { createGitRepo, type GitRepo } from '../lab/git-repo.ts';
import { alive, freePort, type Host, startHost } from '../lab/host.ts';
import { ensureWebImage } from '../lab/images.ts';
import { readContainers } from '../lab/inventory.ts';
import { ask, startProber } from '../lab/probe.ts';
import { gatewayPids } from '../lab/processes.ts';

describe('a fleet repository that is followed', () => {
  let host: Host;
  let repo: GitRepo;
  let folder: string;
  let up: ReturnType<Host['start']>;

  const commit = async (version: string) => {
    const manifest = webManifest([webService('web', version, 'thread')]);
    await repo.commit({ 'namespaces/production.json': JSON.stringify(manifest, null, 2) }, `version ${version}`);
  };

  async function answers(body: string): Promise<void> {
    for (let i = 0; i < 600; i++) {
      if ((await ask(host.httpPort)).body === body) return;
      await sleep(50);
    }
    expect((await ask(host.httpPort)).body).toBe(body);
  }

  beforeAll(async () => {
    await ensureWebImage();
    folder = await mkdtemp(join(tmpdir(), 'slipway-fleet-'));
    repo = await createGitRepo({ dir: folder });
    host = await startHost();
    await commit('1');
    up = host.start(['up', '--repo', repo.path, '--hook-port', String(await freePort())]);
  });
  afterAll(async () => {
    up?.child.kill('SIGTERM');
    await up?.ended;
    await host?.destroy();
    await rm(folder, { recursive: true, force: true });
  });

  it('a commit becomes what the gateway answers', async () => {
    await answers('web 1');
    const user = startProber({ port: host.httpPort });
    await commit('2');
    await answers('web 2');
    await user.stop();
    expect(user.answers.filter((it) => it.body === null)).toEqual([]);
  });

  it('a commit with a mistake changes nothing, and says where the mistake is', async () => {
    const manifest = webManifest([webService('web', '3', 'thread', { replicas: 3 })]);
    await repo.commit({ 'namespaces/production.json': JSON.stringify(manifest, null, 2) }, 'a mistake');
    for (let i = 0; i < 100; i++) {
      const { stdout } = await host.slipway(['events']);
      if (/namespaces\/production\.json:\d+:\d+ .*replicas/.test(stdout)) break;
      await sleep(100);
    }
    const { stdout } = await host.slipway(['events']);
    expect(stdout).toMatch(/namespaces\/production\.json:\d+:\d+ .*replicas/);
    expect((await ask(host.httpPort)).body).toBe('web 2');
  });

  it('Ctrl-C stops the controller only; the next `up` adopts everything without starting a container again', async () => {
    const before = (await readContainers(host)).map((it) => it.id);
    up.child.kill('SIGINT');
    const ran = await up.ended;
    expect(ran.code, ran.stderr).toBe(0);
    expect((await ask(host.httpPort)).body).toBe('web 2');
    up = host.start(['up', '--hook-port', String(await freePort())]);
    for (let i = 0; i < 100 && !(await host.slipway(['status'])).stdout.includes('controller: controller'); i++)
      await sleep(100);
    expect((await readContainers(host)).map((it) => it.id)).toEqual(before);
    expect(before).toHaveLength(1);
    await commit('4');
    await answers('web 4');
    await commit('2');
    await answers('web 2');
    const { stdout } = await host.slipway(['releases', 'production', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, data: { live: 4 } });
  });

  it('a commit that names a missing secret waits for it by name; setting and rotating it is carried out by the controller', async () => {
    await commit('{{secret:word}}');
    const failed = async () => (await host.slipway(['status', 'production'])).stdout;
    for (let i = 0; i < 50 && !(await failed()).includes('SECRET_MISSING'); i++) await sleep(100);
    expect(await failed()).toContain('web: secret word is not set: `slipway secret set production/word`');
    expect((await ask(host.httpPort)).body).toBe('web 2');

    await host.slipway(['secret', 'set', 'production/word'], {}, 'first');
    await answers('web first');
    const user = startProber({ port: host.httpPort });
    const rolled = await host.slipway(['secret', 'set', 'production/word'], {}, 'second');
    expect(rolled, rolled.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('by the controller') });
    expect((await ask(host.httpPort)).body).toBe('web second');
    await user.stop();
    expect(user.answers.filter((it) => it.body === null)).toEqual([]);
    expect(await failed()).not.toContain('held');
  });

  it('`down` ends the controller that runs as well, and nothing of it comes back', async () => {
    const agent = await host.agentPid();
    const down = await host.slipway(['down']);
    expect(down, down.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('controller stopped') });
    expect((await up.ended).code).toBe(0);
    await sleep(1_500);
    expect(await readContainers(host)).toEqual([]);
    expect(await gatewayPids(host)).toEqual([]);
    expect(alive(agent)).toBe(false);
    expect(await host.agentPid()).toBe(agent);
  });

  it('a purge that was cut off is finished by the next one, and a third has nothing to do', async () => {
    for (const it of ['nats', 'keys', 'agent']) await rm(join(host.stateDir, it), { recursive: true });
    const down = await host.slipway(['down', '--purge']);
    expect(down.code, down.stderr).toBe(0);
    expect(existsSync(host.stateDir)).toBe(false);
    expect(await host.slipway(['down', '--purge'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing to take down'),
    });
  });
});
