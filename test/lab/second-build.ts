/** Another build of the same programs, as an upgrade brings it: other bytes, another folder. */
import { execFile } from 'node:child_process';
import { appendFile, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DIST, REPOSITORY } from './host.ts';

export interface SecondBuild {
  /** Runs its `slipway ARGS` for an installation; gives what it printed. @throws with its output when it fails */
  slipway(stateDir: string, args: readonly string[]): Promise<string>;
  remove(): Promise<void>;
}

/** Copies the build under test; a comment at the end of agent and resolver makes them others. */
export async function createSecondBuild(): Promise<SecondBuild> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-second-build-'));
  await cp(join(REPOSITORY, 'package.json'), join(folder, 'package.json'));
  await mkdir(join(folder, 'dist'));
  await cp(DIST, join(folder, 'dist'), { recursive: true });
  for (const program of ['agent/main.js', 'agent/dns/main.js'])
    await appendFile(join(folder, 'dist', program), '\n// Another build.\n');
  return {
    async slipway(stateDir, args) {
      const argv = [join(folder, 'dist/cli/main.js'), '--state-dir', stateDir, ...args];
      const { stdout } = await promisify(execFile)(process.execPath, argv, { env: { ...process.env, NO_COLOR: '1' } });
      return stdout;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
