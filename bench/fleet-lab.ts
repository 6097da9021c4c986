/** An installation of its own with a controller that follows a git repository: what `npm start` sets up. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { silentLogger } from '../schemas/logger.ts';
import { systemClock } from '../store/clock.ts';
import { connectNats } from '../store/nats.ts';
import type { Store } from '../store/port.ts';
import { createGitRepo } from '../test/lab/git-repo.ts';
import { DIST, freePort, type Host, startHost } from '../test/lab/host.ts';
import { startCommand } from '../test/lab/running-command.ts';

export interface FleetLab {
  readonly host: Host;
  readonly store: Store;
  /** The fleet repository. */
  readonly path: string;
  readonly controllerPid: number;
  /** Port of its health and metrics. */
  readonly hookPort: number;
  /** Commits the files. Gives the revision and when `git commit` had ended, in milliseconds of the epoch. */
  commit(files: Readonly<Record<string, string>>): Promise<{ readonly revision: string; readonly endedAtMs: number }>;
  /** What was committed last is live, and what it replaced is gone. @throws when it failed, or after `withinMs` */
  settled(withinMs?: number): Promise<void>;
  close(): Promise<void>;
}

const SETTLED = /: release #\d+ is live| is not deployed: /;
const SETTLED_WITHIN_MS = 300_000;

/** @param env added to what every part of the installation is started with */
export async function startFleetLab(env: Record<string, string> = {}): Promise<FleetLab> {
  const endings: (() => Promise<unknown>)[] = [];
  const close = async () => {
    const failures: unknown[] = [];
    for (const end of endings.splice(0).toReversed()) await end().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, 'not everything could be ended');
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
    endings.push(() => rm(folder, { recursive: true, force: true }));
    const repo = await createGitRepo({ dir: folder });
    await repo.commit({ 'README.md': 'The fleet repository of a benchmark.\n' });
    const host = await startCleanly(env, repo.path);
    endings.push(() => host.destroy());
    const url = (await readFile(join(host.stateDir, 'nats/url'), 'utf8')).trim();
    const store = await connectNats({ url, name: 'bench', log: silentLogger, clock: systemClock });
    endings.push(() => store.close());
    const hookPort = await freePort();
    const controller = startCommand(host, ['controller', '--hook-port', String(hookPort)]);
    endings.push(() => controller.interrupt());
    await controller.saw('following ');
    return {
      host,
      store,
      path: repo.path,
      controllerPid: controller.pid,
      hookPort,
      async commit(files) {
        controller.skip();
        for (const [name, text] of Object.entries(files)) {
          await mkdir(dirname(join(folder, name)), { recursive: true });
          await writeFile(join(folder, name), text);
        }
        await repo.git(['add', '--all']);
        await repo.git(['-c', 'gc.auto=0', 'commit', '--quiet', '--message', 'Change']);
        const endedAtMs = Date.now();
        return { revision: await repo.head(), endedAtMs };
      },
      async settled(withinMs = SETTLED_WITHIN_MS) {
        const line = await controller.saw(SETTLED, withinMs);
        if (!line.includes(' is live')) throw new Error(`the controller said: ${line}`);
      },
      close,
    };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

/** `startHost` that leaves nothing behind when it fails, or when Ctrl-C ends the `up` that it waits for. */
async function startCleanly(env: Record<string, string>, repo: string): Promise<Host> {
  let stateDir = '';
  const prepare = async (it: string) => void (stateDir = it);
  try {
    return await startHost({ env, prepare, upArgs: ['--repo', repo] });
  } catch (error) {
    if (stateDir !== '') {
      const argv = [join(DIST, 'cli/main.js'), '--state-dir', stateDir, 'down', '--purge'];
      // It may have failed before there was anything to end.
      await promisify(execFile)(process.execPath, argv, { env: { ...process.env, ...env } }).catch(() => undefined);
      await rm(dirname(stateDir), { recursive: true, force: true });
    }
    throw error;
  }
}
