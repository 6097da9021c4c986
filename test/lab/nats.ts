/** A real nats-server with JetStream for tests: ready in about 25 ms, on a port of its own, killed and restarted at will. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface NatsLab {
  readonly url: string;
  readonly port: number;
  /** Where its files are; removed by `stop` when the lab made it. */
  readonly dir: string;
  pid(): number;
  /** SIGKILL; the files stay. */
  kill(): Promise<void>;
  /** The same files and port again, killed before if it runs. */
  restart(): Promise<void>;
  /** Ends it and removes what the lab made. */
  stop(): Promise<void>;
}

export interface NatsLabOptions {
  /** `nats-server` of the PATH by default. */
  readonly binary?: string;
  /** Where its files go; a temporary folder by default. */
  readonly storeDir?: string;
  readonly args?: readonly string[];
}

const READY_WITHIN_MS = 10_000;

/** Starts one; call `stop` in the end. */
export async function startNats({
  binary = 'nats-server',
  storeDir,
  args = [],
}: NatsLabOptions = {}): Promise<NatsLab> {
  const dir = await mkdtemp(join(tmpdir(), 'slipway-nats-'));
  const store = storeDir ?? join(dir, 'store');
  let child: ChildProcess;
  let port = -1;

  async function start(): Promise<void> {
    const ports = await mkdtemp(join(dir, 'ports-'));
    const listen = ['-a', '127.0.0.1', '-p', String(port), '--ports_file_dir', ports];
    child = spawn(binary, ['-js', '-sd', store, ...listen, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-4000);
    });
    const failed = new Promise<never>((_, reject) => child.once('error', reject));
    port = await Promise.race([
      failed,
      portOf(
        ports,
        () => child.exitCode !== null,
        () => stderr,
      ),
    ]);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await gone;
  }

  await start();
  return {
    get url() {
      return `nats://127.0.0.1:${port}`;
    },
    get port() {
      return port;
    },
    dir,
    pid: () => child.pid ?? 0,
    kill: async () => await end('SIGKILL'),
    async restart() {
      await end('SIGKILL');
      await start();
    },
    async stop() {
      await end('SIGKILL');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function portOf(folder: string, ended: () => boolean, stderr: () => string): Promise<number> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline && !ended()) {
    const name = existsSync(folder) ? (await readdir(folder)).find((it) => it.endsWith('.ports')) : undefined;
    const url = name === undefined ? undefined : urlIn(await readFile(join(folder, name), 'utf8'));
    if (url !== undefined) return Number(new URL(url).port);
    await sleep(3);
  }
  throw new Error(`nats-server did not become ready: ${stderr()}`);
}

function urlIn(text: string): string | undefined {
  try {
    const { nats } = JSON.parse(text) as { nats?: string[] };
    return nats?.[0];
  } catch {
    // Half written.
    return undefined;
  }
}
