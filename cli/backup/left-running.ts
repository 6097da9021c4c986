/** Processes of an installation that still run although its folder is gone: two of each would harm each other. */
import type { Stats } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';

/** What our long-lived programs are started as: the file that runs, and the argument that names the folder. */
const PROGRAMS = [
  { what: 'an agent', runs: /agent\/main\.(js|ts)$/, flag: '--state-dir', below: '' },
  { what: 'a resolver', runs: /agent\/dns\/main\.(js|ts)$/, flag: '--dir', below: '/dns' },
  { what: 'a nats-server', runs: /(^|\/)nats-server$/, flag: '-c', below: '/nats/nats.conf' },
] as const;

/** What a process is to the installation in `root`; null: nothing. Pure. */
export function roleOf(argv: readonly string[], root: string): string | null {
  const found = PROGRAMS.find(
    ({ runs, flag, below }) => argv.some((it) => runs.test(it)) && argv[argv.indexOf(flag) + 1] === `${root}${below}`,
  );
  return found?.what ?? null;
}

/** Each as `an agent (process 123)`. */
export async function leftRunning(root: string): Promise<string[]> {
  const ours = await stat('/');
  const pids = (await readdir('/proc')).filter((it) => /^\d+$/.test(it));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const argv = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
      const role = roleOf(argv, root);
      return role !== null && (await seesSameFiles(pid, ours)) ? `${role} (process ${pid})` : null;
    }),
  );
  return found.filter((it) => it !== null);
}

/** A process in a container may have the same path for something else. */
async function seesSameFiles(pid: string, ours: Stats): Promise<boolean> {
  const theirs = await stat(`/proc/${pid}/root/`).catch(() => null);
  return theirs !== null && theirs.ino === ours.ino && theirs.dev === ours.dev;
}
