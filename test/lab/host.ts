/**
 * A whole installation of its own for tests: real nats-server, agent, HAProxy, resolver and containers, driven through
 * the built command. Several live side by side.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Installation } from '../../schemas/installation.ts';
import { parseStat } from '../../store/process-record.ts';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
/** The build that is tested; another one can be named while sources change. */
export const DIST = process.env['SLIPWAY_TEST_DIST'] ?? join(REPOSITORY, 'dist');
const MAIN = join(DIST, 'cli/main.js');

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Host {
  readonly dir: string;
  readonly stateDir: string;
  readonly installation: Installation;
  readonly httpPort: number;
  /** Runs `slipway ARGS` to its end; `input` is what it reads, nothing by default. */
  slipway(args: readonly string[], env?: Record<string, string>, input?: string | Buffer): Promise<Ran>;
  /** Starts `slipway ARGS`; the caller ends it. */
  start(args: readonly string[], env?: Record<string, string>): { child: ChildProcess; ended: Promise<Ran> };
  /** Writes a manifest below the host's folder and gives its path. */
  manifest(name: string, manifest: unknown): Promise<string>;
  agentPid(): Promise<number>;
  /** The agent is killed (when it still runs) and started with this environment. */
  restartAgent(env?: Record<string, string>): Promise<void>;
  /** Everything that was made here is gone. */
  destroy(): Promise<void>;
}

export interface HostOptions {
  readonly env?: Record<string, string>;
  /** Called when the host's folder exists and nothing of the installation does. */
  readonly prepare?: (stateDir: string) => Promise<void>;
  /** More arguments of the first `up`. */
  readonly upArgs?: readonly string[];
}

/** Makes an installation and waits until its agent answers. */
export async function startHost(options: HostOptions = {}): Promise<Host> {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run \`npm run build\` first`);
  const dir = await mkdtemp(join(tmpdir(), 'slipway-host-'));
  const stateDir = join(dir, 'state');
  const httpPort = await freePort();
  const base = { ...process.env, ...options.env, SLIPWAY_STATE_DIR: stateDir, NO_COLOR: '1' };

  function start(args: readonly string[], env: Record<string, string> = {}, input?: string | Buffer) {
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...base, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = new Promise<Ran>((resolve) => {
      child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
    });
    return { child, ended };
  }
  const slipway: Host['slipway'] = async (args, env, input) => await start(args, env, input).ended;

  await options.prepare?.(stateDir);
  const up = await slipway(['up', '--detach', '--http-port', String(httpPort), ...(options.upArgs ?? [])]);
  if (up.code !== 0) {
    const log = await readFile(join(stateDir, 'log/agent.log'), 'utf8').catch(() => '');
    throw new Error(`slipway up failed (${up.code}): ${up.stdout}${up.stderr}\n${log.slice(-3000)}`);
  }
  const installation = Installation.parse(JSON.parse(await readFile(join(stateDir, 'installation.json'), 'utf8')));

  const agentPid = async () => {
    const record = JSON.parse(await readFile(join(stateDir, 'agent/running.json'), 'utf8')) as { pid: number };
    return record.pid;
  };

  return {
    dir,
    stateDir,
    installation,
    httpPort,
    slipway,
    start,
    async manifest(name, manifest) {
      await mkdir(join(dir, 'manifests'), { recursive: true });
      const path = join(dir, 'manifests', `${name}.json`);
      await writeFile(path, JSON.stringify(manifest, null, 2));
      return path;
    },
    agentPid,
    async restartAgent(env = {}) {
      const pid = await agentPid().catch(() => 0);
      if (pid > 0 && alive(pid)) {
        process.kill(pid, 'SIGKILL');
        while (alive(pid)) await sleep(5);
      }
      const again = await slipway(['up', '--detach'], env);
      if (again.code !== 0) throw new Error(`the agent did not come back: ${again.stdout}${again.stderr}`);
    },
    async destroy() {
      const down = await slipway(['down', '--purge']);
      await rm(dir, { recursive: true, force: true });
      if (down.code !== 0) throw new Error(`slipway down failed: ${down.stdout}${down.stderr}`);
    },
  };
}

/** Whether a process of that id lives (a zombie does not). */
export function alive(pid: number): boolean {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')).state !== 'Z';
  } catch {
    return false;
  }
}

/** A port that nobody listens on just now. */
export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
