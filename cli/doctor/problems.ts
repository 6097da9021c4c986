/** What is open: problems that machines report, and namespaces that are held or failed. */
import { readSnapshots } from '../../controller/execute/situation.ts';
import { createNamespaces } from '../../controller/namespaces.ts';
import type { NamespaceRecord } from '../../schemas/deploy.ts';
import type { InstallationDeps } from './deps.ts';
import { type Finding, info, ok, skip, warn } from './finding.ts';

export async function checkProblems({ store }: InstallationDeps): Promise<Finding[]> {
  const connected = await store().catch(() => null);
  if (connected === null) return [skip('problems', 'NATS does not answer')];
  const [snapshots, records] = await Promise.all([
    readSnapshots(connected),
    createNamespaces({ bucket: connected.bucket('namespaces') }).list(),
  ]);
  const found = [
    ...snapshots.flatMap((it) =>
      it.gateway.problems.map((problem) =>
        warn(`gateway of ${it.machine}`, problem, 'free the port or change who wants it; `slipway status` follows it'),
      ),
    ),
    ...records.flatMap(namespaceFindings),
  ];
  return found.length === 0 ? [ok('problems', 'none reported')] : found;
}

/** Both are somebody's decision or already told: nothing is wrong with the machine. Pure. */
export function namespaceFindings({ namespace, held, failed }: NamespaceRecord): Finding[] {
  return [
    ...(held === null ? [] : [info(namespace, `held by ${held.by}: ${held.why}`, `\`slipway resume ${namespace}\``)]),
    ...(failed === null
      ? []
      : [
          info(
            namespace,
            `failed: ${failed.code}: ${failed.message}`,
            `\`slipway deploys ${namespace}\` shows the evidence`,
          ),
        ]),
  ];
}
