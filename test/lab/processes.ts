/** Processes of an installation under test: found, watched, stopped, killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DIST, type Host } from './host.ts';

/** true: it is stopped; false: it ended. */
export async function stoppedOrEnded(child: ChildProcess): Promise<boolean> {
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) return false;
    if (await isStopped(child.pid ?? 0)) return true;
    await sleep(5);
  }
}

/** Source: proc(5), the state in /proc/PID/stat. */
export async function isStopped(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('T');
}

/** Processes of a program whose command line names the folder, or something in it. */
export async function pidsOf(program: string, folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((it) => /^\d+$/.test(it));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.flatMap((pid, i) => {
    const [file = '', ...args] = (lines[i] ?? '').split('\0');
    const named = args.some((it) => it.includes(`${folder}/`) || it.endsWith(folder));
    return file.split('/').at(-1) === program && named ? [Number(pid)] : [];
  });
}

/** HAProxy's master and workers. */
export async function gatewayPids(host: Host): Promise<number[]> {
  return await pidsOf('haproxy', join(host.stateDir, 'gateway'));
}

/** The agent as a service manager would run it: started again whenever it dies. */
export async function superviseAgent(
  host: Host,
  env: Record<string, string>,
): Promise<{ pid(): number; deaths(): number; stop(): Promise<void> }> {
  process.kill(await host.agentPid(), 'SIGTERM');
  let child: ChildProcess | null = null;
  let deaths = 0;
  let over = false;
  const out = openSync(join(host.dir, 'agent.log'), 'a');
  const loop = (async () => {
    while (!over) {
      child = spawn(process.execPath, [join(DIST, 'agent/main.js'), '--state-dir', host.stateDir], {
        env: { ...process.env, ...env },
        stdio: ['ignore', out, out],
      });
      await new Promise((resolve) => child?.once('exit', resolve));
      deaths += 1;
      // Another agent may still be going away.
      if (!over) await sleep(20);
    }
  })();
  return {
    pid: () => child?.pid ?? 0,
    deaths: () => deaths,
    async stop() {
      over = true;
      child?.kill('SIGTERM');
      await loop;
    },
  };
}
