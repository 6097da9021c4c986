/**
 * A Docker engine of our own, beside the machine's, so that it can be killed without hurting anybody else. It leaves
 * iptables alone (two engines would undo each other's rules) and has a bridge of its own: told to have none, an engine
 * removes docker0, whosever it is.
 */
import { execFile } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { pidsOf } from './processes.ts';
import { type Supervised, startSupervised } from './supervised.ts';

const run = promisify(execFile);
const READY_MS = 60_000;

export interface PrivateEngine {
  readonly socketPath: string;
  readonly process: Supervised;
  /** `docker ARGS` on it: its output. */
  docker(args: readonly string[]): Promise<string>;
  /** Ends it; its folder can be removed then. */
  stop(): Promise<void>;
}

/** Starts it, and waits until it answers. */
export async function startPrivateEngine(args: {
  readonly folder: string;
  readonly restartAfterMs: () => number;
  /** Whether containers outlive it; by default they end with it. */
  readonly liveRestore?: boolean;
}): Promise<PrivateEngine> {
  const { folder, restartAfterMs, liveRestore = false } = args;
  const socketPath = join(folder, 'docker.sock');
  const [dataRoot, execRoot] = [join(folder, 'data'), join(folder, 'exec')];
  await mkdir(dataRoot, { recursive: true });
  const places = ['--data-root', dataRoot, '--exec-root', execRoot, '--pidfile', join(folder, 'docker.pid')];
  const bridge = await makeBridge();
  const manners = ['--bridge', bridge, '--iptables=false', '--ip6tables=false', '--config-file', ''];
  if (liveRestore) manners.push('--live-restore');
  const logFile = join(folder, 'dockerd.log');
  const process_ = startSupervised({
    argv: ['dockerd', '-H', `unix://${socketPath}`, ...places, ...manners],
    env: process.env,
    logFile,
    restartAfterMs,
  });
  const docker = async (argv: readonly string[]) =>
    (await run('docker', ['-H', `unix://${socketPath}`, ...argv])).stdout;
  const stop = async () => {
    await process_.stop();
    // Neither what an engine forgot that was killed while it started a container, nor its own mounts, go with it.
    for (const pid of await pidsOf('containerd-shim-runc-v2', folder)) process.kill(pid, 'SIGKILL');
    for (const it of await mountsBelow(folder)) await run('umount', ['--lazy', it]);
    await run('ip', ['link', 'delete', bridge]);
    for (const it of [dataRoot, execRoot]) await rm(it, { recursive: true, force: true, maxRetries: 5 });
  };
  const until = Date.now() + READY_MS;
  for (;;) {
    try {
      await docker(['version', '--format', '{{.Server.Version}}']);
      return { socketPath, process: process_, docker, stop };
    } catch (error) {
      if (Date.now() > until) {
        await stop();
        throw new Error(`the private engine does not answer: ${logFile} says why`, { cause: error });
      }
      await sleep(100);
    }
  }
}

/** A bridge that no other engine has, with an address of the range for tests of devices (RFC 2544). */
async function makeBridge(): Promise<string> {
  const name = `slt${randomBytes(4).toString('hex')}`;
  await run('ip', ['link', 'add', name, 'type', 'bridge']);
  await run('ip', ['address', 'add', `198.18.${randomInt(256)}.1/24`, 'dev', name]);
  await run('ip', ['link', 'set', name, 'up']);
  return name;
}

/** Innermost first. Source: proc_pid_mountinfo(5), field 5. */
async function mountsBelow(folder: string): Promise<string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines
    .flatMap((it) => it.split(' ')[4] ?? [])
    .filter((it) => it.startsWith(`${folder}/`))
    .toReversed();
}
