/** `slipway branch preview | apply | list | render-manifest`: forks by hand. */
import { printManifest } from '../../controller/manifest/print-manifest.ts';
import { previewRecordOf } from '../../controller/previews/records.ts';
import { urlsOf } from '../../controller/previews/view.ts';
import { hasChanges, type Plan } from '../../schemas/plan.ts';
import { forkOf, planFork, urlsOfPlan } from '../branch/fork.ts';
import { carryOutAndReport } from '../carry-out.ts';
import { type Connection, connect } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { printable } from '../output.ts';
import { requirePermission } from '../permission.ts';
import type { CommandContext } from '../run-command.ts';
import { exitCodeOf, planOrThrow, printPlan } from './plan.ts';

export async function preview(context: CommandContext): Promise<number> {
  await using connection = await connect(context);
  const fork = await forkOf(context, connection);
  const plan = planOrThrow(await planFork(connection, fork));
  context.output.result({ plan, urls: urlsOfPlan(connection, plan), notes: fork.notes }, () => {
    printPlan(context.output, plan);
    for (const note of fork.notes) context.output.line(printable(note));
    sayUrls(context, connection, plan);
  });
  return exitCodeOf(context, plan);
}

export async function apply(context: CommandContext): Promise<number> {
  await using connection = await connect(context);
  const fork = await forkOf(context, connection);
  await connection.recover(fork.desired.namespace, context.signal);
  const plan = planOrThrow(await planFork(connection, fork));
  for (const note of fork.notes) context.output.note(printable(note));
  return await carryOutFork(context, connection, plan);
}

/** Carries the plan of a fork out, and says where it answers. */
export async function carryOutFork(context: CommandContext, connection: Connection, plan: Plan): Promise<number> {
  const { output } = context;
  const urls = urlsOfPlan(connection, plan);
  if (!hasChanges(plan)) {
    const release = plan.basis.release ?? 0;
    output.result({ namespace: plan.namespace, state: 'unchanged', plan: plan.id, urls }, () => {
      output.line(`${plan.namespace}: unchanged, release #${release} is live`);
      sayUrls(context, connection, plan);
    });
    return EXIT.ok;
  }
  await requirePermission(context, connection, plan);
  printPlan(output, plan);
  const code = await carryOutAndReport(context, connection, plan, () => ({ urls }));
  if (code !== EXIT.ok) return code;
  sayUrls(context, connection, plan);
  return exitCodeOf(context, plan);
}

function sayUrls({ output }: CommandContext, connection: Connection, plan: Plan): void {
  for (const { service, url } of urlsOfPlan(connection, plan)) output.line(`${service}  ${url}`);
}

export async function list(context: CommandContext): Promise<number> {
  const { output } = context;
  await using connection = await connect(context);
  const { store, installation } = connection;
  const live = await Promise.all((await store.log.namespaces()).map((it) => store.log.live(it)));
  const forks = await Promise.all(
    live.flatMap((release) => {
      const from = release?.lineage.forkedFrom;
      if (release === null || from === undefined) return [];
      return [
        previewRecordOf(store.bucket('previews'), release.namespace).then((record) => ({
          namespace: release.namespace,
          forkedFrom: from,
          release: release.n,
          pull: record?.pull ?? null,
          expiresAt: record?.expiresAt ?? null,
          urls: urlsOf(release, installation.httpPort),
        })),
      ];
    }),
  );
  output.result(forks, () => {
    if (forks.length === 0) return output.line('there are no forks; `slipway branch apply SOURCE FORK` makes one');
    output.table(
      ['FORK', 'FROM', 'RELEASE', 'BY', 'ANSWERS AT'],
      forks.map((it) => [
        it.namespace,
        `${it.forkedFrom.namespace}@${it.forkedFrom.n}`,
        `#${it.release}`,
        it.pull === null ? 'hand' : `pull request #${it.pull}`,
        it.urls.map(({ url }) => url).join(' '),
      ]),
    );
  });
  return EXIT.ok;
}

export async function renderManifest(context: CommandContext): Promise<number> {
  await using connection = await connect(context);
  const { desired } = await forkOf(context, connection);
  const { manifest, toml } = printManifest(desired);
  context.output.result(manifest, () => context.output.line(printable(toml)));
  return EXIT.ok;
}
