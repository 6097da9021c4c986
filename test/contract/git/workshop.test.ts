/** What is made in a repository: refs fetched, objects written, refs pushed; behind HTTP and in a folder. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OpenRepository, openRepository } from '../../../controller/git/repository.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { type GitHttpServer, serveGit } from '../../lab/git-http.ts';
import { createGitRepo, type GitRepo, runGit } from '../../lab/git-repo.ts';

const TOKEN = 'ghs_canary0123456789';
const ADA = { name: 'Ada', email: 'ada@example.com', timestamp: 1_700_000_000 };
const { signal } = new AbortController();
let [root, bare] = ['', ''];
let work: GitRepo;
let server: GitHttpServer;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-workshop-'));
  bare = join(root, 'srv', 'fleet.git');
  work = await createGitRepo({ dir: join(root, 'work') });
  await runGit(root, ['init', '-q', '--bare', '-b', 'main', bare]);
  await runGit(bare, ['config', 'http.receivepack', 'true']);
  server = await serveGit({ root: join(root, 'srv'), token: TOKEN });
});

afterEach(async () => {
  await server.close();
  await rm(root, { recursive: true, force: true });
});

const KINDS = ['http', 'folder'] as const;

function open(kind: (typeof KINDS)[number], mirror = 'mirrors'): OpenRepository {
  return openRepository({
    location: kind === 'http' ? server.url('fleet.git') : bare,
    branch: 'main',
    mirrorDir: join(root, mirror),
    token: async () => TOKEN,
    log: silentLogger,
    limits: { listTimeoutMs: 5_000, fetchTimeoutMs: 20_000 },
  });
}

async function push(ref = 'refs/heads/main'): Promise<void> {
  await work.git(['push', '-q', '-f', bare, `HEAD:${ref}`]);
}

const bytes = (text: string) => Buffer.from(text);
const remoteRef = (ref: string) => runGit(bare, ['rev-parse', '--verify', '-q', ref]).catch(() => null);

/** Sizes of the mirror's packs, smallest first. */
async function packSizes(): Promise<number[]> {
  const folder = join(root, 'mirrors', (await readdir(join(root, 'mirrors')))[0] ?? '', 'objects/pack');
  const packs = (await readdir(folder)).filter((it) => it.endsWith('.pack'));
  return (await Promise.all(packs.map(async (it) => (await stat(join(folder, it))).size))).toSorted((a, b) => a - b);
}

describe.each(KINDS)('a repository by %s', (kind) => {
  it('gives a pull request head that is no branch, and null once it is gone', async () => {
    await work.commit({ 'a.toml': 'one' });
    await push();
    const head = await work.commit({ 'a.toml': 'two' });
    await push('refs/pull/7/head');
    const repository = open(kind);
    await repository.tip(signal);
    expect(await repository.fetchRef('refs/pull/7/head', signal)).toBe(head);
    expect((await repository.commitInfo(head)).subject).toBe('Change');
    expect(await repository.fetchRef('refs/pull/70/head', signal)).toBeNull();
    expect(await repository.fetchRef('refs/pull/7', signal)).toBeNull();
    expect([...(await repository.listRefs('refs/pull/', signal))]).toEqual([['refs/pull/7/head', head]]);
    await runGit(bare, ['update-ref', '-d', 'refs/pull/7/head']);
    expect(await repository.fetchRef('refs/pull/7/head', signal)).toBeNull();
  });

  it('refuses names that are no refs, and may be paths', async () => {
    const repository = open(kind);
    for (const ref of ['HEAD', 'refs/../config', 'refs/heads/a b', '/etc/passwd', 'refs/heads/../../config']) {
      await expect(repository.fetchRef(ref, signal)).rejects.toMatchObject({ code: 'USAGE' });
    }
    await expect(repository.listRefs('refs/../', signal)).rejects.toThrow(/no ref/);
  });

  it('writes trees and commits that git finds whole, and pushes them by compare-and-set', async () => {
    const main = await work.commit({ 'n/a.toml': 'one', 'n/b.toml': 'b', 'x/gone': 'x', 'a.b': '', a0: '' });
    await push();
    const repository = open(kind);
    await repository.tip(signal);
    const files = new Map([
      ['n/a.lock.toml', bytes('lock')],
      ['x/gone', null],
      ['a/deep/er', bytes('deep')],
      ['ä.toml', bytes('umlaut')],
    ]);
    const tree = await repository.writeTree(main, files);
    const message = 'Promote\n\nSlipway-Promoted-From: pr-7@3';
    const revision = await repository.writeCommit({ tree, parents: [main], message, person: ADA });
    const ref = 'refs/slipway/namespaces/production';
    expect(await repository.push({ ref, expected: main, revision }, signal)).toBe('moved');
    expect(await repository.push({ ref, expected: null, revision }, signal)).toBe('pushed');
    expect(await remoteRef(ref)).toBe(revision);
    await runGit(bare, ['fsck', '--strict', '--no-dangling']);
    const paths = await runGit(bare, ['-c', 'core.quotepath=off', 'ls-tree', '-r', '--name-only', revision]);
    expect(paths.split('\n')).toEqual(['a.b', 'a/deep/er', 'a0', 'n/a.lock.toml', 'n/a.toml', 'n/b.toml', 'ä.toml']);
    expect(
      await runGit(bare, ['log', '-1', '--format=%an %ae %at|%(trailers:key=Slipway-Promoted-From)', revision]),
    ).toBe('Ada ada@example.com 1700000000|Slipway-Promoted-From: pr-7@3');
    expect(Buffer.from(await repository.rawCommit(revision)).toString()).toContain('Slipway-Promoted-From: pr-7@3\n');

    const other = await repository.writeCommit({ tree, parents: [revision], message: 'Next', person: ADA });
    expect(await repository.push({ ref, expected: null, revision: other }, signal)).toBe('moved');
    expect(await repository.push({ ref, expected: revision, revision: other }, signal)).toBe('pushed');
    expect(await repository.push({ ref, expected: revision, revision: other }, signal)).toBe('pushed');
    expect(await repository.push({ ref, expected: revision, revision: null }, signal)).toBe('moved');
    expect(await repository.push({ ref, expected: other, revision: null }, signal)).toBe('pushed');
    expect(await remoteRef(ref)).toBeNull();
    await expect(repository.rawCommit('1'.repeat(40))).rejects.toThrow(/not here/);
  });

  it('lets one of many win who create the same ref', async () => {
    const main = await work.commit({ a: '1' });
    await push();
    const writers = await Promise.all(
      Array.from({ length: 6 }, async (_, n) => {
        const repository = open(kind, `mirrors-${n}`);
        await repository.tip(signal);
        const tree = await repository.writeTree(main, new Map([['who', bytes(String(n))]]));
        return {
          repository,
          revision: await repository.writeCommit({ tree, parents: [main], message: 'x', person: ADA }),
        };
      }),
    );
    const ref = 'refs/slipway/race';
    const ends = await Promise.all(
      writers.map(({ repository, revision }) => repository.push({ ref, expected: null, revision }, signal)),
    );
    expect(ends.filter((it) => it === 'pushed')).toHaveLength(1);
    expect(await remoteRef(ref)).toBe(writers[ends.indexOf('pushed')]?.revision);
  });

  it('says what a hook of the server said when it declined', async () => {
    const main = await work.commit({ a: '1' });
    await push();
    await writeFile(join(bare, 'hooks/pre-receive'), '#!/bin/sh\necho "only on Mondays" >&2\nexit 1\n');
    await chmod(join(bare, 'hooks/pre-receive'), 0o755);
    const repository = open(kind);
    await repository.tip(signal);
    await expect(
      repository.push({ ref: 'refs/slipway/x', expected: null, revision: main }, signal),
    ).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      message: expect.stringMatching(/pre-receive hook declined.*only on Mondays/) as string,
    });
  });

  it('signs commits so that git finds the signature good', async () => {
    const key = join(root, 'key');
    const run = promisify(execFile);
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'ada@example.com', '-f', key]);
    const { stdout: publicKey } = await run('ssh-keygen', ['-y', '-f', key]);
    await writeFile(join(root, 'signers'), `ada@example.com ${publicKey}`);
    const main = await work.commit({ a: '1' });
    await push();
    const repository = open(kind);
    await repository.tip(signal);
    const revision = await repository.writeCommit({
      tree: await repository.writeTree(null, new Map([['release.json', bytes('{}')]])),
      parents: [main],
      message: 'Release 1',
      person: ADA,
      async sign(payload) {
        await writeFile(join(root, 'payload'), payload);
        await run('ssh-keygen', ['-q', '-Y', 'sign', '-n', 'git', '-f', key, join(root, 'payload')]);
        const { stdout } = await run('cat', [join(root, 'payload.sig')]);
        return stdout;
      },
    });
    await repository.push({ ref: 'refs/slipway/signed', expected: null, revision }, signal);
    const config = ['-c', 'gpg.format=ssh', '-c', `gpg.ssh.allowedSignersFile=${join(root, 'signers')}`];
    await runGit(bare, [...config, 'verify-commit', revision]);
    await runGit(bare, ['fsck', '--strict', '--no-dangling']);
    expect((await repository.commitInfo(revision)).subject).toBe('Release 1');
  });
});

it('fetches of a pull request only what it adds, also when it grows', async () => {
  await work.commit({ 'a.toml': 'one', noise: randomBytes(200_000).toString('hex') });
  await push();
  const repository = open('http');
  await repository.tip(signal);
  await work.commit({ 'a.toml': 'two', more: randomBytes(40_000).toString('hex') });
  await push('refs/pull/7/head');
  await repository.fetchRef('refs/pull/7/head', signal);
  expect((await packSizes())[0]).toBeLessThan(60_000);
  const head = await work.commit({ 'a.toml': 'three' });
  await push('refs/pull/7/head');
  expect(await repository.fetchRef('refs/pull/7/head', signal)).toBe(head);
  expect((await packSizes())[0]).toBeLessThan(2_000);
  server.requests.length = 0;
  await repository.fetchRef('refs/pull/7/head', signal);
  expect(server.requests.filter((it) => it.startsWith('POST'))).toHaveLength(1);
});

it('keeps what was fetched and merged when the mirror is packed again', async () => {
  const main = await work.commit({ a: '1' });
  await push();
  const head = await work.commit({ b: '1' });
  await push('refs/pull/7/head');
  await work.git(['reset', '-q', '--hard', main]);
  const ours = await work.commit({ c: '1' });
  await push();
  const repository = openRepository({
    location: server.url('fleet.git'),
    branch: 'main',
    mirrorDir: join(root, 'mirrors'),
    token: async () => TOKEN,
    log: silentLogger,
    limits: { maxPacks: 1 },
  });
  await repository.tip(signal);
  await repository.fetchRef('refs/pull/7/head', signal);
  const merged = await repository.merge({ ours, theirs: head }, signal);
  await work.commit({ d: '1' });
  await push();
  await repository.tip(signal);
  expect(await packSizes()).toHaveLength(1);
  await runGit(bare, ['update-ref', '-d', 'refs/pull/7/head']);
  expect(merged.kind === 'merged' ? (await repository.commitInfo(merged.revision)).parents : []).toEqual([ours, head]);
});

it('fetches many refs at once, one after the other', async () => {
  const main = await work.commit({ a: '1' });
  await push();
  const heads = [];
  for (const n of [1, 2, 3, 4]) {
    await work.git(['reset', '-q', '--hard', main]);
    heads.push(await work.commit({ a: `pull ${n}` }));
    await push(`refs/pull/${n}/head`);
  }
  const repository = open('http');
  const found = await Promise.all([1, 2, 3, 4].map((n) => repository.fetchRef(`refs/pull/${n}/head`, signal)));
  expect(found).toEqual(heads);
  expect(await repository.tip(signal)).toBe(main);
});

it('sends little when a release follows a release in a large repository', async () => {
  for (let n = 0; n < 3; n++) await work.commit({ [`noise-${n}`]: randomBytes(100_000).toString('hex') });
  const source = await work.head();
  await work.commit({ later: 'x' });
  await push();
  const repository = open('http');
  await repository.tip(signal);
  let expected: string | null = null;
  const before = await runGit(bare, ['count-objects', '-v']);
  for (let n = 1; n <= 3; n++) {
    const tree = await repository.writeTree(null, new Map([['release.json', bytes(`{"n":${n}}`)]]));
    const parents: string[] = [...(expected === null ? [] : [expected]), source];
    const revision = await repository.writeCommit({ tree, parents, message: `Release ${n}`, person: ADA });
    expect(await repository.push({ ref: 'refs/slipway/namespaces/p', expected, revision }, signal)).toBe('pushed');
    expected = revision;
  }
  const count = (text: string) => Number(/^count: (\d+)/m.exec(text)?.[1]);
  expect(count(await runGit(bare, ['count-objects', '-v'])) - count(before)).toBe(9);
});

it('refuses to move a branch that is checked out in the folder', async () => {
  const main = await work.commit({ a: '1' });
  const mirrorDir = join(root, 'm');
  const repository = openRepository({ location: work.path, branch: 'main', mirrorDir, log: silentLogger });
  const tree = await repository.writeTree(main, new Map([['b', bytes('b')]]));
  const revision = await repository.writeCommit({ tree, parents: [main], message: 'x', person: ADA });
  const pushed = repository.push({ ref: 'refs/heads/main', expected: main, revision }, signal);
  await expect(pushed).rejects.toThrow(/checked out/);
  expect(await work.head()).toBe(main);
});

it('says that the token may not, and never shows it', async () => {
  const main = await work.commit({ a: '1' });
  await push();
  const repository = open('http');
  await repository.tip(signal);
  await runGit(bare, ['config', 'http.receivepack', 'false']);
  const error = await repository.push({ ref: 'refs/slipway/x', expected: null, revision: main }, signal).then(
    () => expect.fail('it was pushed'),
    (it: Error) => it,
  );
  expect(error.message).toMatch(/answered 403: the token may not/);
  expect(JSON.stringify(error)).not.toContain(TOKEN);
});
