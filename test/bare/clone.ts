/** A fresh clone of this checkout, as it lies in the work tree, inside the bare host. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.ts';
import type { BareHost } from './host.ts';

/** Where the clone lies in the host. */
export const CLONE = '/root/slipway';

const ORIGIN = '/srv/slipway.git';
const AS_SOMEBODY = ['-c', 'user.name=Bare Host', '-c', 'user.email=bare@localhost', '-c', 'init.defaultBranch=main'];

/** Clones what git would commit here: tracked and new files, nothing that is ignored. */
export async function cloneInto(host: BareHost, root: string, signal: AbortSignal): Promise<void> {
  const list = await run(['git', 'ls-files', '-z', '-co', '--exclude-standard'], { cwd: root, signal });
  // Files that were removed in the work tree are still in the index.
  const files = [...new Set(list.split('\0'))].filter((it) => it !== '' && existsSync(join(root, it)));
  const archive = `/tmp/${host.name}.tar`;
  try {
    await run(['tar', '-C', root, '--null', '-T', '-', '-cf', archive], { input: files.join('\0'), signal });
    await run(['docker', 'cp', archive, `${host.name}:/srv/slipway.tar`], { signal });
  } finally {
    await run(['rm', '-f', '--', archive], { signal: new AbortController().signal });
  }
  await host.run(['mkdir', '-p', ORIGIN]);
  // docker cp keeps the owner, and git trusts only folders of its own user.
  await host.run(['tar', '-C', ORIGIN, '--no-same-owner', '-xf', '/srv/slipway.tar']);
  await host.run(['git', ...AS_SOMEBODY, '-C', ORIGIN, 'init', '-q']);
  await host.run(['git', '-C', ORIGIN, 'add', '-A']);
  await host.run(['git', ...AS_SOMEBODY, '-C', ORIGIN, 'commit', '-q', '-m', 'The checkout']);
  await host.run(['git', 'clone', '-q', '--', ORIGIN, CLONE]);
}
