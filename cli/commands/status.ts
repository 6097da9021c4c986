/** `slipway status`: what is live, what runs, what is held or failed. */

import { readSnapshots } from '../../controller/execute/situation.ts';
import type { Deploy, NamespaceRecord } from '../../schemas/deploy.ts';
import type { InstanceReport, MachineSnapshot } from '../../schemas/observed.ts';
import type { Release } from '../../schemas/release.ts';
import { type Connection, connect } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import type { CommandContext } from '../run-command.ts';
import { unknownNamespace } from './resume.ts';

interface NamespaceStatus {
  readonly namespace: string;
  readonly release: Release | null;
  readonly record: NamespaceRecord;
  readonly open: readonly Deploy[];
  readonly slots: readonly {
    readonly slot: string;
    readonly machine: string;
    readonly state: string;
    readonly address: string;
    readonly restarts: number;
  }[];
}

export async function status(context: CommandContext): Promise<number> {
  const { output } = context;
  await using connection = await connect(context);
  const known = [
    ...new Set([
      ...(await connection.store.log.namespaces()),
      ...(await connection.namespaces.list()).map((it) => it.namespace),
    ]),
  ].toSorted();
  const asked = context.args.length === 0 ? known : context.args;
  for (const it of asked) if (!known.includes(it)) throw unknownNamespace(it, known);
  const snapshots = await readSnapshots(connection.store);
  const controller = await connection.controller();
  const namespaces = await Promise.all(asked.map((it) => statusOf(connection, it, snapshots)));
  output.result({ controller, machines: snapshots, namespaces }, () => {
    output.line(
      controller === null
        ? 'controller: not running (workloads, gateway and commands work without it)'
        : `controller: ${controller}`,
    );
    for (const it of snapshots) {
      const port = it.gateway.httpPort === null ? 'no http port' : `http on port ${it.gateway.httpPort}`;
      output.line(`machine ${it.machine}: ${it.instances.length} instances, gateway ${port}, reported ${it.at}`);
      for (const problem of it.gateway.problems) output.line(`  problem: ${problem}`);
    }
    if (snapshots.length === 0) output.line('machines: none has reported in the last 90 s, so what runs is unknown');
    for (const it of namespaces) printNamespace(output, it);
  });
  return EXIT.ok;
}

async function statusOf(
  connection: Connection,
  namespace: string,
  snapshots: readonly MachineSnapshot[],
): Promise<NamespaceStatus> {
  const [release, record, open] = await Promise.all([
    connection.store.log.live(namespace),
    connection.namespaces.get(namespace),
    connection.deploys.listOpen(namespace),
  ]);
  const reports = snapshots.flatMap((it) => it.instances).filter((it) => it.namespace === namespace);
  const reported = new Set(snapshots.map((it) => it.machine));
  const slots = (release?.slots ?? []).map((row) => {
    const match = (it: InstanceReport) =>
      it.slot === row.slot && it.template === row.template && it.deploy === row.deploy;
    const report = reports.find(match) ?? reports.find((it) => it.slot === row.slot && it.viaSwap);
    const missing = reported.has(row.machine) ? 'missing' : 'unknown';
    return {
      slot: row.slot,
      machine: row.machine,
      state: report?.state ?? missing,
      address: report?.address ?? '',
      restarts: report?.restarts ?? 0,
    };
  });
  return { namespace, release, record, open, slots };
}

function printNamespace(output: Output, it: NamespaceStatus): void {
  const { release, record } = it;
  const live = release === null ? 'nothing is live' : `release #${release.n} of ${release.at} by ${release.actor}`;
  output.line();
  output.line(`${output.colors.bold(it.namespace)}: ${live}`);
  if (record.held !== null)
    output.line(`  held by ${record.held.by}: ${record.held.why} (\`slipway resume ${it.namespace}\`)`);
  if (record.failed !== null) output.line(`  failed: ${record.failed.code}: ${record.failed.message}`);
  for (const deploy of it.open)
    output.line(
      `  deploy ${deploy.id}: ${deploy.state}, phase ${deploy.phase + 1} of ${deploy.phases.length}, by ${deploy.actor}`,
    );
  if (it.slots.length === 0) return;
  output.table(
    ['  SLOT', 'MACHINE', 'STATE', 'ADDRESS', 'RESTARTS'],
    it.slots.map((slot) => [`  ${slot.slot}`, slot.machine, slot.state, slot.address, String(slot.restarts)]),
  );
}
