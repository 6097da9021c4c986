/** A new version of a secret reaches the services that use it: by the controller where it follows, else by this command. */
import { planSecret } from '../../controller/reconcile.ts';
import type { NamespaceRecord } from '../../schemas/deploy.ts';
import type { ErrorCode } from '../../schemas/errors.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { hasChanges } from '../../schemas/plan.ts';
import { carryOutAndReport } from '../carry-out.ts';
import { planOrThrow, printPlan } from '../commands/plan.ts';
import type { Connection } from '../connect.ts';
import { rulesFor } from '../desired.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../run-command.ts';
import type { SecretTarget } from './target.ts';
import { secretUsers, userText } from './users.ts';

const LOOK_MS = 200;
/** A controller that has not begun by then does not follow this namespace. */
const BEGIN_MS = 15_000;

/**
 * Says the command's result, with `result` in it.
 *
 * @returns the exit code; the services that are live use the version when it is 0
 */
export async function rollSecret(
  context: CommandContext,
  connection: Connection,
  target: SecretTarget,
  version: number,
  result: object,
): Promise<number> {
  const late = async () =>
    (await secretUsers(connection.store, target.namespace, target.name)).filter((it) => it.version !== version);
  const { output } = context;
  const services = await late();
  if (services.length === 0) {
    output.result(result, () => output.line('no live service uses another version'));
    return EXIT.ok;
  }
  output.line(
    `${services.map((it) => userText(it, target.namespace)).join(', ')} ${services.length === 1 ? 'gets' : 'get'} it now`,
  );
  if (await followsGit(connection, target.namespace)) {
    const n = await carriedOutByController(context, connection, target, late);
    if (n !== null) {
      const said = `${target.namespace}: release #${n} is live, carried out by the controller`;
      output.result({ ...result, release: n }, () => output.line(said));
      return EXIT.ok;
    }
    output.note('the controller has not begun; this command does it');
  }
  let worst: number = EXIT.ok;
  for (const namespace of new Set(services.map((it) => it.namespace)))
    worst = Math.max(worst, await rollIn(context, connection, { namespace, secret: target.name, result }));
  return worst;
}

/** One namespace gets the newest version; in a fork it is a secret of the previews. */
async function rollIn(
  context: CommandContext,
  connection: Connection,
  { namespace, secret, result }: { readonly namespace: string; readonly secret: string; readonly result: object },
): Promise<number> {
  const { output } = context;
  await connection.recover(namespace, context.signal);
  const { store, gatewayPorts } = connection;
  const live = await store.log.live(namespace);
  const plan = planOrThrow(
    await planSecret({
      store,
      gatewayPorts,
      namespace,
      secret,
      revision: live?.source.revision ?? null,
      managedBy: live?.managedBy ?? 'manual',
      ...(await rulesFor(connection, namespace)),
    }),
  );
  if (!hasChanges(plan)) {
    output.result(result, () => output.line('somebody else has carried it out'));
    return EXIT.ok;
  }
  printPlan(output, plan);
  return await carryOutAndReport(context, connection, plan, () => result);
}

async function followsGit(connection: Connection, namespace: string): Promise<boolean> {
  const live = await connection.store.log.live(namespace);
  const record = await connection.namespaces.get(namespace);
  return live?.managedBy === 'git' && record.held === null && (await connection.controller()) !== null;
}

/** Waits for the loop, which the new version has woken; gives the release. null: it did not begin. @throws why it failed */
async function carriedOutByController(
  { signal }: CommandContext,
  connection: Connection,
  { namespace }: SecretTarget,
  late: () => Promise<readonly object[]>,
): Promise<number | null> {
  const { clock, namespaces, deploys, store } = connection;
  const before = failureOf(await namespaces.get(namespace));
  let giveUpAt = clock.now() + BEGIN_MS;
  // Until it is over, not only committed: from then on every gateway sends to the new instances.
  while ((await late()).length > 0 || (await deploys.listOpen(namespace)).length > 0) {
    const failed = failureOf(await namespaces.get(namespace));
    if (failed !== null && JSON.stringify(failed) !== JSON.stringify(before))
      throw new SlipwayError(failed.code as ErrorCode, `the controller could not carry it out: ${failed.message}`);
    if ((await deploys.listOpen(namespace)).length > 0) giveUpAt = clock.now() + BEGIN_MS;
    if (clock.now() > giveUpAt) return null;
    await clock.sleep(LOOK_MS, signal);
  }
  return (await store.log.live(namespace))?.n ?? 0;
}

function failureOf({ failed }: NamespaceRecord): { code: string; message: string; attempts: number } | null {
  return failed === null ? null : { code: failed.code, message: failed.message, attempts: failed.attempts };
}
