/** What `slipway up` makes of a fleet repository, and reads of one, with real git. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ensureExampleRepository, sudoUser } from '../../../cli/up/example.ts';
import { wishedHttpPort } from '../../../cli/up/wished-http-port.ts';
import { statePaths } from '../../../schemas/installation.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { createGitRepo } from '../../lab/git-repo.ts';
import { REPOSITORY } from '../../lab/host.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-up-'));
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

const wish = async (repository: string) =>
  await wishedHttpPort({
    repository,
    branch: undefined,
    paths: statePaths(join(folder, 'state')),
    log: silentLogger,
    signal: new AbortController().signal,
  });

it('gives the example repository to the person behind sudo, objects and all', async () => {
  const owner =
    process.getuid?.() === 0
      ? { uid: 12_345, gid: 12_346 }
      : { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const path = join(folder, 'fleet');
  await ensureExampleRepository(path, owner, join(REPOSITORY, 'manifests-example'));
  for (const it of [
    '',
    'slipway.toml',
    'namespaces/production.toml',
    '.git',
    '.git/HEAD',
    '.git/objects',
    '.git/refs/heads/main',
  ]) {
    expect(await stat(join(path, it)), it).toMatchObject(owner);
  }
});

it('knows the person behind sudo by both of their ids', () => {
  expect(sudoUser({ SUDO_UID: '1000', SUDO_GID: '100' })).toEqual({ uid: 1000, gid: 100 });
  expect(sudoUser({ SUDO_UID: '1000' })).toBe(null);
  expect(sudoUser({ SUDO_UID: 'root', SUDO_GID: '0' })).toBe(null);
  expect(sudoUser({})).toBe(null);
});

it('reads the wished port of the gateway from the branch, not from the work tree', async () => {
  const repo = await createGitRepo({ dir: join(folder, 'repo') });
  await repo.commit({
    'slipway.toml': '[gateway]\nhttp_port = 9123\n',
    'namespaces/shop.toml': 'namespace = "shop"\n',
  });
  expect(await wish(repo.path)).toBe(9123);
  await repo.git(['checkout', '-q', '-b', 'other']);
  await repo.commit({ 'slipway.toml': '[gateway]\nhttp_port = 9999\n' });
  expect(await wish(repo.path)).toBe(9123);
});

it('wishes for port 80 when the settings say nothing, or cannot be read', async () => {
  const repo = await createGitRepo({ dir: join(folder, 'repo') });
  await repo.commit({ 'namespaces/README': 'nothing yet' });
  expect(await wish(repo.path)).toBe(80);
  expect(await wish(join(folder, 'nowhere'))).toBe(80);
  expect(await wish('https://git.invalid/fleet.git')).toBe(80);
});
