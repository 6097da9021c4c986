/** Verdicts over what was measured. Pure. */
import semver from 'semver';
import { type DiskReport, type DiskUsage, diskLevel, freeText } from '../../schemas/disk.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** A version that a program says in its own way, against the oldest that will do. */
export function versionVerdict(args: {
  readonly name: string;
  readonly said: string;
  /** null: any. */
  readonly oldest: string | null;
  readonly upgrade: string;
}): Finding {
  const { name, said, oldest, upgrade } = args;
  const found = semver.coerce(said)?.version ?? null;
  if (oldest === null) return ok(name, found ?? said);
  if (found === null) return warn(name, `does not say its version (${said}); wanted: ${oldest} or newer`, upgrade);
  const fits = semver.gte(found, semver.coerce(oldest) ?? oldest);
  return fits
    ? ok(name, `${found} (wanted: ${oldest} or newer)`)
    : fail(name, `${found}; wanted: ${oldest} or newer`, upgrade);
}

const PLACE = { docker: "Docker's folder", state: 'the state folder' } as const satisfies Record<
  DiskReport['what'],
  string
>;
const MAKE_ROOM = {
  docker: '`docker system df` shows what takes the space; `docker image prune` removes images without a name',
  state: 'remove or move what else lies on that file system (`df -h`, `du -x`), or enlarge it',
} as const satisfies Record<DiskReport['what'], string>;

/** The space of a file system. */
export function diskVerdict(what: DiskReport['what'], folder: string, usage: DiskUsage): Finding {
  const text = `${PLACE[what]} ${folder}: ${freeText(usage)}`;
  switch (diskLevel(usage)) {
    case 'ok':
      return ok('disk', text);
    case 'low':
      return warn('disk', what === 'docker' ? `${text}; images are pruned` : text, MAKE_ROOM[what]);
    case 'full':
      return fail('disk', what === 'docker' ? `${text}; nothing is pulled` : text, MAKE_ROOM[what]);
  }
}

const SKEW_WARN_MS = 2_000;
const SKEW_FAIL_MS = 30_000;
/** A lease lives 30 s: clocks that are that far apart disagree about who holds it. */
const SET_CLOCK =
  'synchronise the clocks (`timedatectl set-ntp true`, or chrony) of this machine and of the NATS server';

/** How far the machine's clock is from the server's. */
export function skewVerdict(skewMs: number): Finding {
  const seconds = (Math.abs(skewMs) / 1000).toFixed(1);
  const text = `this machine's clock is ${seconds} s ${skewMs > 0 ? 'ahead of' : 'behind'} that of NATS`;
  if (Math.abs(skewMs) >= SKEW_FAIL_MS) return fail('clock', text, SET_CLOCK);
  return Math.abs(skewMs) >= SKEW_WARN_MS
    ? warn('clock', text, SET_CLOCK)
    : ok('clock', `${seconds} s from that of NATS`);
}

/** Agents report at least every 30 s. */
const REPORT_LATE_MS = 45_000;

/** How old the machine's last report is, and by which version of the agent. */
export function reportVerdict(args: {
  readonly ageMs: number;
  readonly agentVersion: string | undefined;
  readonly own: string;
}): Finding {
  const { ageMs, agentVersion, own } = args;
  const age = `last report ${Math.max(0, Math.round(ageMs / 1000))} s ago`;
  if (ageMs > REPORT_LATE_MS)
    return warn('agent report', `${age}; one is due every 30 s`, 'see log/agent.log in the state folder');
  if (agentVersion === own) return ok('agent report', `${age}, version ${own}`);
  return warn(
    'agent report',
    `${age}; the agent is of build ${agentVersion ?? 'unknown'}, this command of ${own}`,
    '`slipway up --detach` replaces it; workloads go on meanwhile',
  );
}

/** Bits of a file's mode that let anybody but its owner at a secret. */
export function isTooOpen(mode: number): boolean {
  return (mode & 0o077) !== 0;
}
