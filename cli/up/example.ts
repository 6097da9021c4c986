/** The example: a fleet repository of its own and the tiny image that it runs, both made on this machine. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, lchown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Engine } from '../../agent/docker/port.ts';
import { EXAMPLE_VERSIONS, exampleTag, writeExampleContext } from '../../deploy/example/image.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { repositoryPath } from '../../store/own-files.ts';

const BUSYBOX = '/bin/busybox';

/** Builds the versions of the example image that the engine does not have. Nothing is pulled. */
export async function ensureExampleImages(engine: Pick<Engine, 'build' | 'image'>): Promise<void> {
  for (const version of EXAMPLE_VERSIONS) {
    const tag = exampleTag(version);
    if ((await engine.image(tag)) !== null) continue;
    const folder = await mkdtemp(join(tmpdir(), 'slipway-example-'));
    try {
      const { context, src } = await writeExampleContext({ folder, version, busyboxPath: BUSYBOX });
      await engine.build(tag, context, src);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

/** The fleet repository that comes with Slipway. */
export const EXAMPLE = repositoryPath('manifests-example');

/** Whose files a program makes for them. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** The person behind sudo; null: nobody. Source: sudo(8), SUDO_UID and SUDO_GID. */
export function sudoUser(env: Readonly<Record<string, string | undefined>>): Owner | null {
  const [uid = '', gid = ''] = [env['SUDO_UID'], env['SUDO_GID']];
  return /^\d+$/.test(uid) && /^\d+$/.test(gid) ? { uid: Number(uid), gid: Number(gid) } : null;
}

/**
 * A git repository with the files of manifests-example/; one that is there stays as it is.
 *
 * @param owner who commits there, null: whoever runs this. git refuses a repository of somebody else.
 */
export async function ensureExampleRepository(path: string, owner: Owner | null, from = EXAMPLE): Promise<void> {
  if (existsSync(join(path, '.git'))) return;
  await cp(from, path, { recursive: true });
  await git(path, ['init', '--quiet', '--initial-branch=main']);
  await git(path, ['config', 'user.name', (await configured('user.name')) ?? 'Fleet operator']);
  await git(path, ['config', 'user.email', (await configured('user.email')) ?? 'operator@localhost']);
  await git(path, ['add', '--all']);
  await git(path, ['commit', '--quiet', '--message', 'The example fleet']);
  if (owner !== null) await giveTo(path, owner);
}

async function giveTo(path: string, { uid, gid }: Owner): Promise<void> {
  const inside = await readdir(path, { recursive: true });
  for (const it of ['', ...inside]) await lchown(join(path, it), uid, gid);
}

async function git(cwd: string, argv: readonly string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)('git', argv, { cwd });
    return stdout.trim();
  } catch (error) {
    throw new SlipwayError('SETUP_FAILED', `git ${argv[0] ?? ''} failed in ${cwd}; is git installed?`, {}, error);
  }
}

async function configured(key: string): Promise<string | null> {
  const { stdout } = await promisify(execFile)('git', ['config', '--global', '--get', key]).catch(() => ({
    stdout: '',
  }));
  return stdout.trim() || null;
}
