/** Installations that start together on one machine do not pick the same network. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { ensureInstallation } from '../../../cli/up/installation.ts';
import { statePaths } from '../../../schemas/installation.ts';

const run = promisify(execFile);

it('each gets a bridge and a subnet of its own, and finds the same again', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'slipway-installations-'));
  const make = async (name: string) => {
    const options = { httpPort: 18_080, wishedHttpPort: async () => 0, dockerSocket: '/var/run/docker.sock' };
    return (await ensureInstallation(statePaths(join(dir, name)), options)).installation;
  };
  const made = await Promise.all(['a', 'b', 'c', 'd'].map(make));
  try {
    expect(new Set(made.map((it) => it.subnetIndex)).size).toBe(4);
    expect(new Set(made.map((it) => it.bridge)).size).toBe(4);
    expect(await make('a')).toEqual(made[0]);
  } finally {
    for (const { id } of made) await run('docker', ['network', 'rm', `slipway-${id}`]);
    await rm(dir, { recursive: true, force: true });
  }
});
