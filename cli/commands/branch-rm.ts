/** `slipway branch rm`: a fork and its data go, and it is proven that nothing is left. */
import { carryOut } from '../../controller/carry-out.ts';
import { previewRecordOf } from '../../controller/previews/records.ts';
import { type Looked, takeInventory, tearDown } from '../../controller/previews/teardown.ts';
import { planRemoval } from '../../controller/reconcile.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import type { Release } from '../../schemas/release.ts';
import { type Connection, connect } from '../connect.ts';
import { rulesFor } from '../desired.ts';
import { EXIT } from '../exit-codes.ts';
import { requirePermission } from '../permission.ts';
import { createProgressView } from '../progress.ts';
import type { CommandContext } from '../run-command.ts';
import { planOrThrow, printPlan } from './plan.ts';
import { unknownNamespace } from './resume.ts';

const WAIT_FOR_LEASE_MS = 35_000;

export async function rm(context: CommandContext): Promise<number> {
  const [namespace = ''] = context.args;
  const { output, signal } = context;
  await using connection = await connect(context);
  const { store } = connection;
  const released = await lastRelease(connection, namespace);
  const preview = await previewRecordOf(store.bucket('previews'), namespace);
  if (preview !== null && preview.state !== 'removed')
    throw new SlipwayError(
      'PULL_REFUSED',
      `${namespace} is the preview of pull request #${preview.pull}: it goes when that is closed, or by \`/slipway destroy\` there`,
    );
  if (released.managedBy !== 'preview')
    throw new SlipwayError('USAGE', `${namespace} is no fork; \`slipway branch list\` shows which are`);
  if (context.options['yes'] !== true)
    throw new SlipwayError(
      'CONSENT_NEEDED',
      `the data of ${namespace} cannot be brought back; \`slipway branch rm ${namespace} --yes\` removes it`,
    );
  await connection.recover(namespace, signal);
  const hostnames = released.routes.flatMap(({ route }) => (route.kind === 'http' ? [route.hostname] : []));
  const before = await takeInventory({ store }, namespace, hostnames);
  await remove(context, connection, namespace);
  const proof = await tearDown(connection, { namespace, hostnames, before: known(before), signal });
  output.result({ namespace, removed: proof.clean, proof: proof.text }, () =>
    output.line(`${namespace}: ${proof.text}`),
  );
  return proof.clean ? EXIT.ok : EXIT.failed;
}

async function remove(context: CommandContext, connection: Connection, namespace: string): Promise<void> {
  const { store, gatewayPorts, actor } = connection;
  if ((await store.log.live(namespace)) === null) return;
  const rules = await rulesFor(connection, namespace);
  const plan = planOrThrow(
    await planRemoval({ store, gatewayPorts, namespace, revision: null, managedBy: 'preview', ...rules }),
  );
  await requirePermission(context, connection, plan);
  printPlan(context.output, plan);
  const view = await createProgressView(context.output, context.output.colors.bold(namespace));
  try {
    const { deploy } = await carryOut(connection, {
      plan,
      actor,
      signal: context.signal,
      onProgress: view.show,
      waitForLeaseMs: WAIT_FOR_LEASE_MS,
    });
    if (deploy.failure !== null) throw new SlipwayError('STEP_FAILED', deploy.failure.message);
  } finally {
    view.done();
  }
}

/** Also of one that is removed already, so that it can be run again. @throws UNKNOWN_NAMESPACE */
async function lastRelease({ store }: Connection, namespace: string): Promise<Release> {
  const found = (await store.log.entries(namespace)).findLast((it) => it.kind === 'release');
  if (found?.kind === 'release') return found;
  throw unknownNamespace(namespace, await store.log.namespaces());
}

function known({ inventory, silent }: Looked): Looked['inventory'] | null {
  return silent.length > 0 ? null : inventory;
}
