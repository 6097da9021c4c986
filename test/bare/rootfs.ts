/** The file system of a fresh machine: a minimal Debian with git, and nothing that Slipway needs. */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './command.ts';
import type { Registries } from './registries.ts';

/** git is the user's; Node, which the host gets from us, wants the C++ library. */
const INCLUDED = ['git', 'ca-certificates', 'libstdc++6'];
/** What debootstrap leaves behind and a fresh machine does not need. */
const LEFT_OUT = ['./var/cache/apt/archives/*.deb', './var/lib/apt/lists/*', './dev/*'];

/** The archive of the file system; made once (half a minute), then found in the cache. */
export async function rootfsArchive(registries: Registries, signal: AbortSignal): Promise<string> {
  const cache = join(tmpdir(), 'slipway-bare-cache');
  const archive = join(cache, `${registries.codename}.tar`);
  if (existsSync(archive)) return archive;
  const folder = join(cache, `${registries.codename}.${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    // debootstrap(8) knows no `--`; neither value is a user's.
    const options = ['--variant=minbase', `--include=${INCLUDED.join(',')}`];
    await run(['debootstrap', ...options, registries.codename, folder, registries.mirror], { signal });
    const excluded = LEFT_OUT.map((it) => `--exclude=${it}`);
    await run(['tar', '-C', folder, ...excluded, '-cf', `${folder}.tar`, '.'], { signal });
    await rename(`${folder}.tar`, archive);
  } finally {
    await rm(folder, { recursive: true, force: true });
    await rm(`${folder}.tar`, { force: true });
  }
  return archive;
}
