/** The agent: runs, has reported lately, and is of this version. */

import { MachineSnapshot } from '../../schemas/observed.ts';
import { buildOf } from '../../store/build.ts';
import { findAgent } from '../up/agent-process.ts';
import type { InstallationDeps } from './deps.ts';
import { type Finding, fail, ok, skip } from './finding.ts';
import { reportVerdict } from './verdicts.ts';

export async function checkAgent({ paths }: InstallationDeps): Promise<Finding[]> {
  const running = await findAgent(paths);
  if (running !== null) return [ok('agent', `runs (pid ${running.pid})`)];
  const next = '`slipway up --detach` starts it; workloads and gateway go on meanwhile';
  return [fail('agent', `does not run: nothing is healed or deployed here; ${paths.log}/agent.log says why`, next)];
}

export async function checkReport({ installation, paths, store, now }: InstallationDeps): Promise<Finding[]> {
  const connected = await store().catch(() => null);
  if (connected === null) return [skip('agent report', 'NATS does not answer')];
  const entry = await connected.bucket('observed').get([installation.machine]);
  if (entry === null) {
    if ((await findAgent(paths)) === null) return [skip('agent report', 'the agent does not run')];
    return [
      fail('agent report', 'the agent runs, but has not reported in the last 90 s', `see ${paths.log}/agent.log`),
    ];
  }
  const report = MachineSnapshot.safeParse(entry.value);
  if (!report.success)
    return [
      fail(
        'agent report',
        'it has a form that this version does not know',
        'run the `slipway` of the version that the agent is of',
      ),
    ];
  const { at, versions } = report.data;
  return [
    reportVerdict({
      ageMs: now() - Date.parse(at),
      agentVersion: versions['slipway'],
      own: await buildOf('agent/main'),
    }),
  ];
}
