/** A small disk for Docker alone: deploys that fail over and over do not fill it, and a full one hurts nobody. */
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Deploy } from '../../schemas/deploy.ts';
import { type Host, startHost } from '../lab/host.ts';
import { type ImageRegistry, openImageRegistry } from '../lab/image-registry.ts';
import { type PrivateEngine, startPrivateEngine } from '../lab/private-engine.ts';
import { ask } from '../lab/probe.ts';

const MIB = 2 ** 20;
const DISK_MIB = 120;
const IMAGE_MIB = 24;
/** Together more than the disk. */
const FAILURES = 5;

describe.skipIf(process.getuid?.() !== 0)('a disk of Docker that is small', () => {
  let folder: string;
  let dataRoot: string;
  let engine: PrivateEngine;
  let registry: ImageRegistry;
  let host: Host;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-disk-'));
    dataRoot = join(folder, 'docker/data');
    await mkdir(dataRoot, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'slipway-test', dataRoot]);
    engine = await startPrivateEngine({ folder: join(folder, 'docker'), restartAfterMs: () => 300 });
    registry = await openImageRegistry();
    host = await startHost({ env: { DOCKER_HOST: `unix://${engine.socketPath}` } });
  });

  afterAll(async () => {
    try {
      await host?.destroy();
    } finally {
      registry?.close();
      await engine?.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });

  const image = async (name: string) => await registry.add(name, (IMAGE_MIB - 2) * MIB);

  async function deploy(imageName: string, argv: readonly string[]) {
    const service = {
      name: 'web',
      template: { image: imageName, entrypoint: argv, stop_grace_period: '1s' },
      service_ports: [{ name: 'http', container_port: 8080, protocol: 'tcp' }],
      routes: [{ http: { service_port: 'http', hostnames: ['shop.test'] } }],
      readiness: { http: { service_port: 'http', path: '/' }, interval: '200ms', timeout: '2s' },
      deadline: '20s',
    };
    const file = await host.manifest('shop', { namespace: 'shop', services: [service] });
    const ran = await host.slipway(['deploy', '-f', file, '--json']);
    const said = JSON.parse(ran.stdout) as { data?: { deploy: Deploy }; error?: unknown };
    if (said.data === undefined) throw new Error(ran.stdout + ran.stderr);
    return said.data.deploy;
  }

  const serves = ['/bin/busybox', 'httpd', '-f', '-p', '8080', '-h', '/www'];
  const freeMib = async () => {
    const { bavail, bsize } = await statfs(dataRoot);
    return (bavail * bsize) / MIB;
  };
  const imagesOf = async () =>
    (await engine.docker(['image', 'ls', '--format', '{{.Repository}}'])).split('\n').filter((it) => it !== '');

  it('holds what is live, and not what deploys pulled that failed over and over', async () => {
    expect(await deploy(await image('good'), serves)).toMatchObject({ state: 'done' });
    const lowest: number[] = [];
    for (let index = 0; index < FAILURES; index += 1) {
      const ended = await deploy(await image(`bad${index}`), ['/missing']);
      expect(ended).toMatchObject({ state: 'failed', failure: { code: 'ENGINE_FAILED' } });
      lowest.push(await freeMib());
    }
    expect(Math.min(...lowest)).toBeGreaterThan(0.05 * DISK_MIB);
    expect((await ask(host.httpPort, 'shop.test')).body).toBe('hello');
    await expect.poll(imagesOf, { timeout: 20_000, interval: 300 }).toEqual([`${registry.host}/good`]);
  });

  it('refuses to pull when it is full, says why and where, and goes on when there is space again', async () => {
    const filler = join(dataRoot, 'filler');
    await writeFile(filler, Buffer.alloc(Math.floor((await freeMib()) - 4) * MIB));
    const next = await image('next');
    const refused = await deploy(next, serves);
    expect(refused).toMatchObject({ state: 'failed', failure: { code: 'DISK_FULL' } });
    expect(refused.failure?.message).toContain(`there is no space in ${dataRoot}`);
    expect((await ask(host.httpPort, 'shop.test')).body).toBe('hello');
    const status = await host.slipway(['status']);
    expect(status.stdout).toContain(`disk full: ${dataRoot}`);
    const doctor = await host.slipway(['doctor']);
    expect(doctor.stdout).toMatch(/^fail +disk +Docker's folder/m);
    await rm(filler);
    expect(await deploy(next, serves)).toMatchObject({ state: 'done' });
    const events = (await host.slipway(['events'])).stdout;
    expect(events).toContain('disk.full');
    expect(events).toContain('disk.ok');
  });
});
