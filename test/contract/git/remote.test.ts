/** Remote repositories: real git behind HTTP, with faults. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRepository, type Repository, type RepositoryLimits } from '../../../controller/git/repository.ts';
import type { Logger } from '../../../schemas/logger.ts';
import { type GitFault, type GitHttpServer, serveGit } from '../../lab/git-http.ts';
import { createGitRepo, type GitRepo, runGit } from '../../lab/git-repo.ts';

const TOKEN = 'ghs_canary0123456789';
const signal = new AbortController().signal;
let root: string;
let work: GitRepo;
let server: GitHttpServer;
let logged: unknown[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-http-'));
  work = await createGitRepo({ dir: join(root, 'work') });
  await runGit(root, ['init', '-q', '--bare', '-b', 'main', join(root, 'srv', 'fleet.git')]);
  server = await serveGit({ root: join(root, 'srv'), token: TOKEN });
  logged = [];
});

afterEach(async () => {
  await server.close();
  await rm(root, { recursive: true, force: true });
});

async function push(files: Record<string, string>): Promise<string> {
  const revision = await work.commit(files);
  await work.git(['push', '-q', '-f', join(root, 'srv', 'fleet.git'), 'main']);
  return revision;
}

function open(
  args: { limits?: Partial<RepositoryLimits>; token?: string; branch?: string; path?: string } = {},
): Repository {
  const write = (fields: object, message: string) => void logged.push(fields, message);
  const log: Logger = { debug: write, info: write, warn: write, error: write };
  return openRepository({
    location: server.url(args.path ?? 'fleet.git'),
    branch: args.branch ?? 'main',
    mirrorDir: join(root, 'mirrors'),
    token: async () => args.token ?? TOKEN,
    log,
    limits: { listTimeoutMs: 2_000, fetchTimeoutMs: 10_000, ...args.limits },
  });
}

async function text(repository: Repository, path: string): Promise<string> {
  const entry = await repository.find(await repository.tip(signal), path);
  return Buffer.from((await repository.readBlob(entry?.oid ?? '', 2 ** 20)) ?? []).toString();
}

async function failure(repository: Repository): Promise<Error> {
  return await repository.tip(signal).then(
    () => expect.fail('the tip should not be readable'),
    (error: Error) => error,
  );
}

it('clones, fetches one new commit, and asks once when nothing changed', async () => {
  await push({ 'a.toml': 'one', 'noise.txt': randomBytes(200_000).toString('hex') });
  const repository = open();
  expect(await text(repository, 'a.toml')).toBe('one');
  const second = await push({ 'a.toml': 'two' });
  expect(await text(repository, 'a.toml')).toBe('two');
  const packs = join(root, 'mirrors', (await readdir(join(root, 'mirrors')))[0] ?? '', 'objects/pack');
  const sizes = await Promise.all(
    (await readdir(packs)).filter((it) => it.endsWith('.pack')).map(async (it) => (await stat(join(packs, it))).size),
  );
  expect(Math.min(...sizes)).toBeLessThan(2_000);
  server.requests.length = 0;
  expect(await repository.tip(signal)).toBe(second);
  expect(server.requests).toEqual(['GET /fleet.git/info/refs?service=git-upload-pack']);
});

it('goes on from the mirror after a restart without fetching again', async () => {
  const revision = await push({ 'a.toml': 'one' });
  await open().tip(signal);
  server.requests.length = 0;
  expect(await open().tip(signal)).toBe(revision);
  expect(server.requests).toHaveLength(1);
});

it('follows a redirect within the same host, and posts to where it led', async () => {
  const revision = await push({ 'a.toml': 'one' });
  const repository = open({ path: 'moved/fleet.git' });
  expect(await repository.tip(signal)).toBe(revision);
  expect(server.requests.at(-1)).toBe('POST /fleet.git/git-upload-pack');
});

it('reads a repository that was packed again on the server', async () => {
  await push({ 'a.toml': 'one' });
  const repository = open();
  await repository.tip(signal);
  await runGit(join(root, 'srv', 'fleet.git'), ['gc', '-q', '--prune=now']);
  await push({ 'a.toml': 'two' });
  expect(await text(repository, 'a.toml')).toBe('two');
});

it('follows the branch, not a tag of the same name', async () => {
  const first = await push({ 'a.toml': 'one' });
  const second = await push({ 'a.toml': 'two' });
  await work.git(['push', '-q', join(root, 'srv', 'fleet.git'), `${first}:refs/tags/main`]);
  expect(await open().tip(signal)).toBe(second);
});

it('follows a force-pushed branch and can tell that it was rewound', async () => {
  const first = await push({ 'a.toml': 'one' });
  const second = await push({ 'a.toml': 'two' });
  const repository = open();
  await repository.tip(signal);
  await work.git(['reset', '-q', '--hard', first]);
  const other = await push({ 'a.toml': 'other' });
  expect(await repository.tip(signal)).toBe(other);
  expect(await repository.contains(second, other, signal)).toBe(false);
  expect(await repository.contains(first, other, signal)).toBe(true);
});

describe('faults', () => {
  const REASONS: Record<Exclude<GitFault, 'none'>, RegExp> = {
    error: /answered 500/,
    echo: /answered 500/,
    rubbish: /git does not/,
    html: /not as a git server/,
    silence: /did not answer within 0.4 s/,
    drip: /did not answer within 0.4 s/,
    cut: /cut the connection|cannot be read/,
    truncate: /git does not|cannot be read/,
    elsewhere: /redirects to .*credentials do not follow/,
  };

  for (const [fault, why] of Object.entries(REASONS) as [Exclude<GitFault, 'none'>, RegExp][]) {
    it(`"${fault}" makes the source unavailable, leaks no token, and is recovered from`, async () => {
      await push({ 'a.toml': 'one' });
      const repository = open({ limits: { listTimeoutMs: 400 } });
      expect(await text(repository, 'a.toml')).toBe('one');
      const other = await serveGit({ root: join(root, 'srv') });
      server.redirectTo = other.url('').slice(0, -1);
      await push({ 'a.toml': 'two', 'noise.txt': randomBytes(50_000).toString('hex') });
      server.fault = fault;
      for (let n = 0; n < 2; n++) {
        const error = await failure(repository);
        expect(error).toMatchObject({ code: 'SOURCE_UNAVAILABLE', message: expect.stringMatching(why) as string });
        expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(leaks());
      }
      expect(other.requests).toEqual([]);
      await other.close();
      server.fault = 'none';
      expect(await text(repository, 'a.toml')).toBe('two');
      expect(inspect(logged, { depth: 10 })).not.toMatch(leaks());
    });
  }

  it('a wrong token is named as the reason, and is not repeated', async () => {
    await push({ 'a.toml': 'one' });
    const error = await failure(open({ token: 'wrong-token-canary' }));
    expect(error.message).toMatch(/answered 401: the token is missing, wrong or expired/);
    expect(inspect(error, { depth: 10 })).not.toContain('wrong-token-canary');
  });

  it('a server that is gone, a repository that is gone, an empty one and a missing branch are told apart', async () => {
    const empty = await failure(open());
    expect(empty.message).toMatch(/no branch "main" \(the repository has no commits yet\)/);
    await push({ 'a.toml': 'one' });
    expect((await failure(open({ branch: 'absent' }))).message).toMatch(/no branch "absent" \(it has: main\)/);
    await rm(join(root, 'srv', 'fleet.git'), { recursive: true });
    expect((await failure(open())).message).toMatch(/answered 404/);
    await server.close();
    expect((await failure(open())).message).toMatch(/refuses connections/);
  });

  it('an answer above the limit is not taken', async () => {
    await push({ 'noise.txt': randomBytes(2 ** 20).toString('hex') });
    const error = await failure(open({ limits: { maxResponseBytes: 2 ** 20 } }));
    expect(error.message).toMatch(/more than 1 MiB/);
  });

  it('aborting ends a wait at once', async () => {
    await push({ 'a.toml': 'one' });
    server.fault = 'silence';
    const stop = new AbortController();
    const tip = open({ limits: { listTimeoutMs: 60_000 } }).tip(stop.signal);
    setTimeout(() => stop.abort(new Error('stopped')), 50);
    await expect(tip).rejects.toThrow('stopped');
  });
});

it('heals a mirror whose packs were damaged', async () => {
  await push({ 'a.toml': 'one' });
  const before = open();
  await before.tip(signal);
  const mirror = join(root, 'mirrors', (await readdir(join(root, 'mirrors')))[0] ?? '');
  const packs = await readdir(join(mirror, 'objects/pack'));
  for (const it of packs) await writeFile(join(mirror, 'objects/pack', it), 'damaged');
  const repository = open();
  await repository.tip(signal).catch(() => undefined);
  expect(await text(repository, 'a.toml')).toBe('one');
});

it('heals a mirror that lost a blob of a revision whose commit is still there', async () => {
  await push({ 'a.toml': 'one', 'b.toml': 'one' });
  const repository = open();
  await repository.tip(signal);
  const packs = join(root, 'mirrors', (await readdir(join(root, 'mirrors')))[0] ?? '', 'objects/pack');
  const first = await readdir(packs);
  const revision = await push({ 'b.toml': 'two' });
  const entry = await repository.find(await repository.tip(signal), 'a.toml');
  for (const it of first) await rm(join(packs, it));
  await expect(repository.readBlob(entry?.oid ?? '', 2 ** 20)).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
  expect(await repository.tip(signal)).toBe(revision);
  expect(await text(repository, 'a.toml')).toBe('one');
});

it('writes neither address nor token into the mirror', async () => {
  await push({ 'a.toml': 'one' });
  await open().tip(signal);
  const mirrors = join(root, 'mirrors');
  for (const name of await readdir(mirrors, { recursive: true })) {
    const content = await readFile(join(mirrors, name), 'latin1').catch(() => '');
    expect(content).not.toMatch(leaks());
    expect(content).not.toContain('127.0.0.1');
  }
});

it('repacks a mirror that has many packs', async () => {
  const repository = open({ limits: { maxPacks: 5 } });
  for (let n = 0; n < 7; n++) {
    await push({ 'a.toml': `text ${n}` });
    expect(await text(repository, 'a.toml')).toBe(`text ${n}`);
  }
  const mirror = join(root, 'mirrors', (await readdir(join(root, 'mirrors')))[0] ?? '');
  const packs = (await readdir(join(mirror, 'objects/pack'))).filter((it) => it.endsWith('.pack'));
  expect(packs.length).toBeLessThan(5);
});

/** The token, and the forms in which it travels. */
function leaks(): RegExp {
  const base64 = Buffer.from(`x-access-token:${TOKEN}`).toString('base64');
  return new RegExp(`${TOKEN}|${base64}|${encodeURIComponent(TOKEN)}`);
}
