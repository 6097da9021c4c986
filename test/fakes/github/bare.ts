/** Bare repositories of the GitHub of our tests, by the git program: commits from text, and the three ways to merge. */
import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Who writes a commit. */
export interface Person {
  readonly name: string;
  readonly email: string;
}

/** Content by path; null removes the file. */
export type Files = Readonly<Record<string, string | null>>;

export type MergeMethod = 'merge' | 'squash' | 'rebase';

const FORGE: Person = { name: 'GitHub', email: 'noreply@github.test' };
/** As GitHub has them: refs of pull requests cannot be pushed, and every commit may be asked for. */
const SETTINGS = `[http]
\treceivepack = true
[receive]
\thideRefs = refs/pull
[uploadpack]
\tallowAnySHA1InWant = true
\tallowFilter = true
[gc]
\tauto = 0
`;

/** Runs git in a folder without any configuration of the machine; rejects with its standard error. */
export async function git(dir: string, args: readonly string[], more: { by?: Person; input?: string } = {}) {
  const { by = FORGE, input } = more;
  const env = {
    PATH: process.env['PATH'],
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: devNull,
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: by.name,
    GIT_AUTHOR_EMAIL: by.email,
    GIT_COMMITTER_NAME: FORGE.name,
    GIT_COMMITTER_EMAIL: FORGE.email,
    LC_ALL: 'C',
  };
  const running = promisify(execFile)('git', [...args], { cwd: dir, env, maxBuffer: 64 * 2 ** 20 });
  // A git that is done before it read its input is no error.
  running.child.stdin?.on('error', () => undefined).end(input ?? '');
  return (await running).stdout.trim();
}

export async function createBare(dir: string, branch: string): Promise<void> {
  await git(tmpdir(), ['init', '-q', '--bare', '--template=', '-b', branch, '--', dir]);
  await appendFile(join(dir, 'config'), SETTINGS);
}

/** A copy with the branches and tags of another; objects are its own. */
export async function copyBare(from: string, dir: string, branch: string): Promise<void> {
  await createBare(dir, branch);
  await git(dir, ['fetch', '-q', '--', from, '+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*']);
}

/** Every ref but those of pull requests, by name. */
export async function refsOf(dir: string): Promise<Map<string, string>> {
  const text = await git(dir, ['for-each-ref', '--format=%(refname) %(objectname)', '--']);
  const lines = text === '' ? [] : text.split('\n').map((it) => it.split(' ') as [string, string]);
  return new Map(lines.filter(([name]) => !name.startsWith('refs/pull/')));
}

/** The revision of a commit by any name git knows; null: there is none. */
export async function revisionOf(dir: string, name: string): Promise<string | null> {
  if (name.startsWith('-')) return null;
  return await git(dir, ['rev-parse', '--verify', '-q', '--end-of-options', `${name}^{commit}`]).catch(() => null);
}

export async function setRef(dir: string, ref: string, revision: string | null): Promise<void> {
  await git(dir, revision === null ? ['update-ref', '-d', ref] : ['update-ref', ref, revision]);
}

/** Makes the commit of another repository (or of the same) known here under a ref. */
export async function fetchInto(dir: string, from: string, revision: string, ref: string): Promise<void> {
  if (dir === from) await setRef(dir, ref, revision);
  else await git(dir, ['fetch', '-q', '--', from, `+${revision}:${ref}`]);
}

/** A commit on the branch, which is made from `from` when it is new; files of the branch that are not named stay. */
export async function commitFiles(
  dir: string,
  {
    branch,
    from,
    files,
    message,
    by,
  }: { branch: string; from: string | null; files: Files; message: string; by: Person },
): Promise<string> {
  const ref = `refs/heads/${branch}`;
  const parent = (await revisionOf(dir, ref)) ?? from;
  const who = `${by.name} <${by.email}> ${Math.floor(Date.now() / 1000)} +0000`;
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const changes = Object.entries(files).map(([path, text]) =>
    text === null ? `D ${path}\n` : `M 100644 inline ${path}\n${data(text)}`,
  );
  const head = [`commit ${ref}\n`, `author ${who}\n`, `committer ${who}\n`, data(message)];
  const input = [...head, parent === null ? '' : `from ${parent}\n`, ...changes, '\n'].join('');
  await git(dir, ['fast-import', '--quiet', '--force', '--date-format=raw'], { input });
  return await git(dir, ['rev-parse', ref]);
}

export async function isAncestor(dir: string, older: string, newer: string): Promise<boolean> {
  return await git(dir, ['merge-base', '--is-ancestor', older, newer]).then(
    () => true,
    () => false,
  );
}

/** The tree of both together; null: they conflict. */
async function mergedTree(dir: string, base: string, head: string): Promise<string | null> {
  return await git(dir, ['merge-tree', '--write-tree', base, head]).catch(() => null);
}

export interface MergeArgs {
  readonly base: string;
  readonly head: string;
  readonly message: string;
  readonly by: Person;
}

/** The commit that has both; null: they conflict. */
export async function mergeCommit(dir: string, { base, head, message, by }: MergeArgs): Promise<string | null> {
  const tree = await mergedTree(dir, base, head);
  if (tree === null) return null;
  return await git(dir, ['commit-tree', tree, '-p', base, '-p', head, '-m', message], { by });
}

async function squashCommit(dir: string, { base, head, message, by }: MergeArgs): Promise<string | null> {
  const tree = await mergedTree(dir, base, head);
  return tree === null ? null : await git(dir, ['commit-tree', tree, '-p', base, '-m', message], { by });
}

/** The last of the new commits; those that change nothing any more are left out. */
async function rebaseCommits(dir: string, { base, head }: MergeArgs): Promise<string | null> {
  const work = await mkdtemp(join(tmpdir(), 'github-rebase-'));
  try {
    await git(dir, ['worktree', 'add', '-q', '--detach', '--', work, head]);
    await git(work, ['rebase', '-q', '--force-rebase', base]);
    return await git(work, ['rev-parse', 'HEAD']);
  } catch {
    return null;
  } finally {
    await rm(work, { recursive: true, force: true });
    await git(dir, ['worktree', 'prune']);
  }
}

/** What the base becomes; null: they conflict. */
export const MERGES: Record<MergeMethod, (dir: string, args: MergeArgs) => Promise<string | null>> = {
  merge: mergeCommit,
  squash: squashCommit,
  rebase: rebaseCommits,
};

/** Commits that `newer` has and `older` has not, oldest first, at most 20: as many as a push event shows. */
export async function commitsBetween(dir: string, older: string | null, newer: string) {
  const range = older === null ? [newer] : [newer, `^${older}`];
  const format = '%H%x1f%T%x1f%an%x1f%ae%x1f%cn%x1f%ce%x1f%aI%x1f%P%x1f%B%x1e';
  const text = await git(dir, ['log', '-n', '20', '--reverse', `--format=${format}`, ...range, '--']);
  return text
    .split('\x1e')
    .map((it) => it.trim().split('\x1f'))
    .filter((it) => it.length > 1)
    .map(([sha = '', tree = '', an = '', ae = '', cn = '', ce = '', date = '', parents = '', message = '']) => ({
      sha,
      tree,
      author: { name: an, email: ae },
      committer: { name: cn, email: ce },
      date,
      parents: parents.split(' ').filter((it) => it !== ''),
      message: message.trim(),
    }));
}

export type CommitInfo = Awaited<ReturnType<typeof commitsBetween>>[number];
