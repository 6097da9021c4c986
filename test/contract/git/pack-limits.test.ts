/** Packs made by git itself: small ones that are large once they are unpacked are refused before that. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBreath } from '../../../controller/git/breath.ts';
import { checkPack } from '../../../controller/git/pack-limits.ts';
import { openRepository } from '../../../controller/git/repository.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { type GitHttpServer, serveGit } from '../../lab/git-http.ts';
import { createGitRepo } from '../../lab/git-repo.ts';

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const never = new AbortController().signal;
const breath = createBreath(never);

let dir: string;
let pack: Buffer;
let server: GitHttpServer;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'slipway-pack-'));
  const repo = await createGitRepo({ dir: join(dir, 'bomb.git') });
  const text = Array.from({ length: 4_000 }, (_, i) => `line ${Math.sin(i)}`).join('\n');
  for (const it of ['1', '2', '3']) await repo.commit({ 'namespaces/a.toml': `${text}\n${it}` });
  const list = execFileSync('git', ['-C', repo.path, 'rev-list', '--objects', '--all'], { encoding: 'utf8' });
  const oids = list.split('\n').map((it) => it.slice(0, 40));
  const argv = ['-C', repo.path, 'pack-objects', '-q', '--delta-base-offset', join(dir, 'of')];
  const name = execFileSync('git', argv, { input: oids.join('\n'), encoding: 'utf8' }).trim();
  pack = await readFile(join(dir, `of-${name}.pack`));
  await repo.git(['checkout', '-q', '-b', 'bomb']);
  const bomb = await repo.commit({ 'bomb.bin': '\0'.repeat(80 * MIB) });
  await repo.git(['checkout', '-q', 'main']);
  await repo.git(['update-ref', 'refs/pull/1/head', bomb]);
  server = await serveGit({ root: dir });
});
afterAll(async () => {
  await server.close();
  await rm(dir, { recursive: true, force: true });
});

const check = (objectBytes: number, totalBytes: number, bytes = pack) =>
  checkPack(bytes, { objectBytes, totalBytes }, breath);

it('lets a pack through whose objects are within the limits, deltas among them', async () => {
  expect(pack.length).toBeLessThan(80 * KIB);
  await check(100 * KIB, MIB);
});

it('counts what deltas become, and not what they are', async () => {
  // Three texts of about 90 KiB, two of them as deltas of a few bytes.
  await expect(check(100 * KIB, 200 * KIB)).rejects.toThrow('more than 0 MiB');
  await expect(check(50 * KIB, MIB)).rejects.toThrow('an object of more than');
});

it('refuses what is cut off or no pack at all', async () => {
  await expect(check(MIB, MIB, pack.subarray(0, pack.length / 2))).rejects.toMatchObject({
    code: 'SOURCE_UNAVAILABLE',
  });
  await expect(check(MIB, MIB, Buffer.alloc(64, 0xff))).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
});

it('a pull request with a file that is far larger than it travels is not unpacked, and the tracked branch goes on', async () => {
  const location = server.url('bomb.git');
  const repository = openRepository({ location, branch: 'main', mirrorDir: join(dir, 'mirrors'), log: silentLogger });
  await repository.tip(never);
  await expect(repository.fetchRef('refs/pull/1/head', never)).rejects.toThrow('an object of more than 64 MiB');
  expect(await repository.tip(never)).toMatch(/^[0-9a-f]{40}$/);
});
