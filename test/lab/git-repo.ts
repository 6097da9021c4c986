/** Real repositories by the git program, for tests: no global configuration, fixed author, no shell. */
import { execFile } from 'node:child_process';
import { lstat, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Content of a file; null removes it; `link` makes a symbolic link. */
export type FileChange = string | Uint8Array | null | { readonly link: string };

export interface GitRepo {
  /** The work tree, or the bare repository itself. */
  readonly path: string;
  /** Changes the files, commits all of it and gives the revision. */
  commit(files: Record<string, FileChange>, message?: string): Promise<string>;
  head(): Promise<string>;
  /** Standard output, trimmed. */
  git(args: readonly string[]): Promise<string>;
  /** The same with a standard input. */
  gitInput(args: readonly string[], input: string): Promise<string>;
}

const ENV = {
  PATH: process.env['PATH'],
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: devNull,
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
  LC_ALL: 'C',
};

/** Runs git in a folder; rejects with its standard error. */
export async function runGit(cwd: string, args: readonly string[], input?: string): Promise<string> {
  const running = promisify(execFile)('git', [...args], { cwd, env: ENV, maxBuffer: 64 * 2 ** 20 });
  if (input !== undefined) running.child.stdin?.end(input);
  const { stdout } = await running;
  return stdout.trim();
}

/** A new repository with a work tree in `dir`, on branch `branch` (main). */
export async function createGitRepo(args: { dir: string; branch?: string }): Promise<GitRepo> {
  const path = args.dir;
  await mkdir(path, { recursive: true });
  const git = (argv: readonly string[]) => runGit(path, argv);
  await git(['init', '-q', '-b', args.branch ?? 'main']);
  return {
    path,
    git,
    gitInput: (argv, input) => runGit(path, argv, input),
    head: () => git(['rev-parse', 'HEAD']),
    async commit(files, message = 'Change') {
      for (const [name, change] of Object.entries(files)) await apply(join(path, name), change);
      await git(['add', '-A']);
      await git(['-c', 'gc.auto=0', 'commit', '-q', '--allow-empty', '-m', message]);
      return await git(['rev-parse', 'HEAD']);
    },
  };
}

async function apply(path: string, change: FileChange): Promise<void> {
  if (await lstat(path).catch(() => null)) await rm(path, { recursive: true });
  if (change === null) return;
  await mkdir(dirname(path), { recursive: true });
  if (typeof change === 'object' && 'link' in change) await symlink(change.link, path);
  else await writeFile(path, change);
}
