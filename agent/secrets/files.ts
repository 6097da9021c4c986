/**
 * Secrets as files: on memory of the machine (tmpfs), below a folder that only root enters; containers see single files
 * by bind mounts. Gone after a reboot, and written again before a container starts.
 */
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { SlipwayError } from '../../schemas/errors.ts';
import type { NamespaceName } from '../../schemas/names.ts';
import type { SecretName } from '../../schemas/secret.ts';
import type { ServiceSpec } from '../../schemas/service.ts';

/** TMPFS_MAGIC (statfs(2)). */
const TMPFS = 0x01021994;

export interface SecretFiles {
  /** The file has exactly these bytes. Gives its path on the machine. @throws SECRET_UNREADABLE */
  ensure(namespace: NamespaceName, name: SecretName, version: number, value: Buffer): Promise<string>;
  /** Files that none of these specs pins are gone. */
  keepOnly(used: ReadonlyMap<NamespaceName, readonly ServiceSpec[]>): Promise<void>;
  /** Nothing of the namespace is there. */
  removeNamespace(namespace: NamespaceName): Promise<void>;
}

/** Nothing is mounted before the first file is asked for. */
export function createSecretFiles({ folder }: { readonly folder: string }): SecretFiles {
  return {
    async ensure(namespace, name, version, value) {
      await ensureMemory(folder);
      const path = `${folder}/${namespace}/${name}.${version}`;
      if ((await readFile(path).catch(() => null))?.equals(value) === true) return path;
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      // In the container any user may read it; on the machine nobody but root gets through the folder.
      const beside = `${path}.new`;
      await rm(beside, { force: true });
      await writeFile(beside, value, { mode: 0o444 });
      await rename(beside, path);
      return path;
    },
    async removeNamespace(namespace) {
      await rm(`${folder}/${namespace}`, { recursive: true, force: true });
    },
    async keepOnly(used) {
      for (const namespace of await readdir(folder).catch(() => [])) {
        const pinned = new Set(
          (used.get(namespace) ?? []).flatMap(({ template }) =>
            Object.entries(template.secrets ?? {}).map(([name, version]) => `${name}.${version}`),
          ),
        );
        const names = await readdir(`${folder}/${namespace}`);
        for (const name of names.filter((it) => !pinned.has(it))) await rm(`${folder}/${namespace}/${name}`);
      }
    },
  };
}

/** Nothing of it is left. */
export async function removeSecretFiles(folder: string): Promise<void> {
  if (await isMemory(folder)) await promisify(execFile)('umount', ['--', folder]);
  await rm(folder, { recursive: true, force: true });
}

async function ensureMemory(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (await isMemory(folder)) return;
  try {
    const options = 'mode=0700,nosuid,nodev,noexec';
    await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', options, '--', 'slipway-secrets', folder]);
  } catch (error) {
    throw new SlipwayError(
      'SECRET_UNREADABLE',
      `no memory could be mounted at ${folder}, and secrets are not written to disks: the agent wants to run as root with the right to mount`,
      {},
      error,
    );
  }
}

async function isMemory(folder: string): Promise<boolean> {
  const found = await statfs(folder).catch(() => null);
  return found?.type === TMPFS;
}
