/**
 * The bare mirror of a remote: a cache on disk that may be thrown away at any time. It holds no address and no token.
 */
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Revision } from '../../schemas/names.ts';

const CONFIG = `[core]
\trepositoryformatversion = 0
\tbare = true
[remote "origin"]
\tfetch = +refs/heads/*:refs/remotes/origin/*
`;

/** Folder of the mirror of one remote below `mirrorDir`; mirrors of different remotes never mix. */
export function mirrorPath(mirrorDir: string, url: string): string {
  return join(mirrorDir, `${createHash('sha256').update(url).digest('hex').slice(0, 16)}.git`);
}

/** The folder is a bare repository, empty if it was not there. */
export async function ensureMirror(gitdir: string): Promise<void> {
  for (const folder of ['objects/info', 'objects/pack', 'refs/heads', 'refs/remotes/origin']) {
    await mkdir(join(gitdir, folder), { recursive: true, mode: 0o700 });
  }
  await writeFile(join(gitdir, 'config'), CONFIG);
  await writeFile(join(gitdir, 'HEAD'), 'ref: refs/heads/main\n');
}

/** The same, and nothing is written where one is already. */
export async function prepareMirror(gitdir: string): Promise<void> {
  const there = await stat(join(gitdir, 'HEAD')).catch(() => null);
  if (there === null) await ensureMirror(gitdir);
}

/** The mirror is gone; the next use of it begins with a full fetch. */
export async function discardMirror(gitdir: string): Promise<void> {
  const aside = `${gitdir}.${randomUUID()}.old`;
  await rename(gitdir, aside).catch(() => undefined);
  await rm(aside, { recursive: true, force: true });
}

/** Where the mirror remembers what a ref of the remote was; never asked for the truth, only for what need not be sent. */
export function keptRef(ref: string): string {
  return `refs/slipway-mirror/${ref.slice('refs/'.length)}`;
}

/** What the mirror remembers of the ref; null: nothing. */
export async function readKept(gitdir: string, ref: string): Promise<Revision | null> {
  const text = await readFile(join(gitdir, keptRef(ref)), 'utf8').catch(() => '');
  return /^[0-9a-f]{40}\n$/.test(text) ? text.trim() : null;
}

/** The mirror remembers the ref. Nothing depends on it: a failure makes the next fetch larger. */
export async function keepRef(gitdir: string, ref: string, revision: Revision): Promise<void> {
  const path = join(gitdir, keptRef(ref));
  const beside = join(gitdir, `kept-${randomUUID()}.tmp`);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(beside, `${revision}\n`);
    await rename(beside, path);
  } catch {
    await rm(beside, { force: true });
  }
}

/** Number of packs: every fetch leaves one, and each makes every read a little slower. */
export async function packCount(gitdir: string): Promise<number> {
  const names = await readdir(join(gitdir, 'objects/pack')).catch(() => []);
  return names.filter((it) => it.endsWith('.pack')).length;
}

/** One pack instead of many, by the git program; what no ref names (merge results) is kept. Rejects when that is missing or fails: nothing is lost then. */
export async function repackMirror(gitdir: string, signal: AbortSignal): Promise<void> {
  const env = { PATH: process.env['PATH'], GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: devNull, LC_ALL: 'C' };
  const options = ['-c', `core.hooksPath=${devNull}`, '-c', 'protocol.allow=never'];
  const argv = [...options, '--git-dir', gitdir, 'repack', '-a', '-d', '-k', '-q'];
  await promisify(execFile)('git', argv, { env, signal, timeout: 120_000 });
}
