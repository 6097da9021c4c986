/** `slipway status`: what is live, what runs, what is held or failed. */

import { advice } from '../../controller/advice.ts';
import { frozenText, thawCommand } from '../../controller/consent/frozen.ts';
import { readWaiting } from '../../controller/consent/read-waiting.ts';
import { type Waiting, waitingText } from '../../controller/consent/waiting.ts';
import { readSnapshots, readSpecs } from '../../controller/execute/situation.ts';
import { readForgeReport } from '../../controller/forge-report.ts';
import { type Leftover, leftoversOf, leftoverText } from '../../controller/leftovers.ts';
import { slotViews } from '../../controller/slots.ts';
import { readSourceReport, type SourceReport } from '../../controller/source-report.ts';
import { readTracked, type Tracked } from '../../controller/tracked.ts';
import type { Deploy, NamespaceRecord } from '../../schemas/deploy.ts';
import { type DiskReport, freeText } from '../../schemas/disk.ts';
import type { MachineSnapshot } from '../../schemas/observed.ts';
import type { Release } from '../../schemas/release.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
import { buildOf } from '../../store/build.ts';
import { type Connection, connect } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { type Output, printable } from '../output.ts';
import type { CommandContext } from '../run-command.ts';
import { unknownNamespace } from './resume.ts';

interface NamespaceStatus {
  readonly namespace: string;
  readonly release: Release | null;
  readonly record: NamespaceRecord;
  readonly open: readonly Deploy[];
  /** Plans that wait for a consent or an approval. */
  readonly waiting: readonly Waiting[];
  /** Instances that still run, or are there, although no release and no deploy names them. */
  readonly leftovers: readonly Leftover[];
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
  const cluster = connection.store.bucket('cluster');
  const [tracked, source, forge] = await Promise.all([
    readTracked(cluster),
    readSourceReport(cluster),
    readForgeReport(cluster),
  ]);
  const freezes = await connection.freezes.list();
  const build = await buildOf('agent/main');
  output.result({ controller, tracked, source, forge, build, freezes, machines: snapshots, namespaces }, () => {
    output.line(
      controller === null
        ? 'controller: not running (workloads, gateway and commands work without it)'
        : `controller: ${controller}`,
    );
    if (tracked !== null) printSource(output, tracked, source);
    if (forge !== null && forge.why !== null)
      output.line(printable(`pull requests wait since ${forge.at}: ${forge.why}; deploys do not`));
    for (const it of freezes) output.line(printable(`${frozenText(it)} (\`${thawCommand(it)}\`)`));
    for (const it of snapshots) {
      const port = it.gateway.httpPort === null ? 'no http port' : `http on port ${it.gateway.httpPort}`;
      output.line(`machine ${it.machine}: ${it.instances.length} instances, gateway ${port}, reported ${it.at}`);
      for (const problem of it.gateway.problems) output.line(`  problem: ${problem}`);
      for (const disk of it.disk ?? []) if (disk.level !== 'ok') output.line(`  disk ${disk.level}: ${diskText(disk)}`);
      const runs = it.versions['slipway'] ?? 'an earlier build';
      if (runs !== build)
        output.line(`  its agent runs ${printable(runs)}, this command is ${build}: \`slipway up\` replaces the agent`);
    }
    if (snapshots.length === 0) output.line('machines: none has reported in the last 90 s, so what runs is unknown');
    for (const it of namespaces) printNamespace(output, it, connection.clock.now());
  });
  return EXIT.ok;
}

function diskText(disk: DiskReport): string {
  const then = { low: 'images that nothing needs are removed', full: 'no image is pulled; free some space', ok: '' };
  return `${printable(disk.folder)}: ${freeText(disk)}; ${then[disk.level]}`;
}

async function statusOf(
  connection: Connection,
  namespace: string,
  snapshots: readonly MachineSnapshot[],
): Promise<NamespaceStatus> {
  const [release, record, open, waiting] = await Promise.all([
    connection.store.log.live(namespace),
    connection.namespaces.get(namespace),
    connection.deploys.listOpen(namespace),
    readWaiting(connection, namespace),
  ]);
  const reports = snapshots.flatMap((it) => it.instances).filter((it) => it.namespace === namespace);
  const slots = slotViews(release, snapshots).map(({ slot, machine, state, report }) => ({
    slot,
    machine,
    state,
    address: report?.address ?? '',
    restarts: report?.restarts ?? 0,
  }));
  const none: ReadonlyMap<string, ServiceSpec> = new Map();
  const unnamed = leftoversOf({ release, specs: none, open, reports });
  const specs = release === null || unnamed.length === 0 ? none : await readSpecs(connection.store, release);
  const leftovers = leftoversOf({ release, specs, open, reports });
  return { namespace, release, record, open, waiting, slots, leftovers };
}

function printSource(output: Output, { location, branch }: Tracked, report: SourceReport | null): void {
  const said = report === null ? 'not read yet' : SOURCE[report.kind](report.revision?.slice(0, 10) ?? '');
  output.line(`source ${location}, branch ${branch}: ${said}`);
  for (const it of report?.messages ?? []) output.line(`  ${printable(it)}`);
  if (report !== null && report.invalid.length > 0) output.line(`  left as they are: ${report.invalid.join(', ')}`);
}

const SOURCE = {
  ok: (revision) => `at ${revision}`,
  invalid: (revision) => `${revision} has problems; mend them and commit again`,
  unavailable: () => 'cannot be read; nothing is removed for it',
  rewound: (revision) => `${revision} is not followed`,
} as const satisfies Record<SourceReport['kind'], (revision: string) => string>;

function printNamespace(output: Output, it: NamespaceStatus, nowMs: number): void {
  const { release, record } = it;
  const live = release === null ? 'nothing is live' : `release #${release.n} of ${release.at} by ${release.actor}`;
  output.line();
  output.line(`${output.colors.bold(it.namespace)}: ${live}`);
  if (record.held !== null)
    output.line(`  held by ${record.held.by}: ${record.held.why} (\`slipway resume ${it.namespace}\`)`);
  if (record.failed !== null) printFailed(output, it.namespace, record.failed, release !== null, nowMs);
  for (const deploy of it.open)
    output.line(
      `  deploy ${deploy.id}: ${deploy.state}, phase ${deploy.phase + 1} of ${deploy.phases.length}, by ${deploy.actor}`,
    );
  for (const waiting of it.waiting) output.line(printable(`  ${waitingText(waiting)}`));
  for (const left of it.leftovers) output.line(printable(`  ${leftoverText(left)}`));
  if (it.slots.length === 0) return;
  output.table(
    ['  SLOT', 'MACHINE', 'STATE', 'ADDRESS', 'RESTARTS'],
    it.slots.map((slot) => [`  ${slot.slot}`, slot.machine, slot.state, slot.address, String(slot.restarts)]),
  );
}

function printFailed(
  output: Output,
  namespace: string,
  failed: NonNullable<NamespaceRecord['failed']>,
  live: boolean,
  nowMs: number,
): void {
  const { code, retryAt, deploy } = failed;
  const retryAtMs = retryAt === null ? null : Date.parse(retryAt);
  output.line(`  failed: ${code}: ${printable(failed.message)}`);
  output.line(`  ${advice({ namespace, code, retryAtMs, nowMs, live, deployed: deploy !== null })}`);
}
