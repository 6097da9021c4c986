/** docker-compose: an edit of its file, then `docker-compose up -d`. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Contender } from './contender.ts';
import { composeFile, hostnameOf, serviceNames } from './services.ts';

/** Below the range that the kernel takes ports of outgoing connections from (ip(7), ip_local_port_range). */
const FIRST_PORT = 21_000;

export interface ComposeContender extends Contender {
  /** @param first version of the first service, when it shall have another one */
  change(count: number, version: string, first?: string): ReturnType<Contender['change']>;
}

/** @param most how many services there will be */
export async function startCompose(most: number): Promise<ComposeContender> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-compose-'));
  const file = join(folder, 'docker-compose.yml');
  const ports = await freePorts(most);
  const argv = ['--project-name', `slipway-bench-${process.pid}`, '--file', file];
  const compose = async (args: readonly string[]) => await run('docker-compose', [...argv, ...args]);
  let last: Promise<void> | null = null;
  return {
    endpoints: (count) =>
      serviceNames(count).map((name, index) => ({ port: ports[index] ?? 0, hostname: hostnameOf(name) })),
    async change(count, version, first) {
      await writeFile(file, composeFile(version, ports.slice(0, count), first));
      const madeAtMs = Date.now();
      last = compose(['up', '--detach']);
      return { madeAtMs, over: last };
    },
    async close() {
      // One that is still at work would make again what is removed.
      await last?.catch(() => undefined);
      if (last !== null) await compose(['down', '--timeout', '0', '--volumes']);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function run(program: string, args: readonly string[]): Promise<void> {
  // A group of its own: Ctrl-C is ours, and `down` still has to work then.
  const child = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (it: Buffer) => (printed += it.toString()));
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${program} ${args.join(' ')}: exit ${code}\n${printed}`));
    });
  });
}

async function freePorts(count: number): Promise<number[]> {
  const found: number[] = [];
  for (let port = FIRST_PORT; found.length < count; port++) if (await isFree(port)) found.push(port);
  return found;
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
