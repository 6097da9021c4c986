/** The clock: kept right by somebody, and the same as that of NATS, which leases are measured by. */
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { firstLineOf } from '../program-output.ts';
import type { InstallationDeps } from './deps.ts';
import { type Finding, ok, skip, warn } from './finding.ts';
import { skewVerdict } from './verdicts.ts';

export async function checkTimeSync(): Promise<Finding[]> {
  if (!existsSync('/run/systemd/system'))
    return [skip('time sync', 'no systemd, so nobody to ask whether the clock is kept')];
  const said = await firstLineOf(['timedatectl', 'show', '--property=NTPSynchronized', '--value']);
  if (said === null) return [skip('time sync', 'timedatectl does not answer')];
  if (said === 'yes') return [ok('time sync', 'the clock is synchronised')];
  return [warn('time sync', 'the clock is not synchronised', '`timedatectl set-ntp true`, or install chrony')];
}

const Stamped = z.object({ at: z.iso.datetime() });

/** The agent stamps each report with its clock a moment before the server does with its own. */
export async function checkSkew({ nats }: InstallationDeps): Promise<Finding[]> {
  const view = await nats().catch(() => null);
  if (view === null) return [skip('clock', 'NATS does not answer')];
  const stamped = Stamped.safeParse(view.observation?.value);
  if (view.observation === null || !stamped.success) return [skip('clock', 'the agent has not reported lately')];
  return [skewVerdict(Date.parse(stamped.data.at) - view.observation.takenInAtMs)];
}
