/** `slipway resume`: the loop may act on the namespace again. */
import { isSlipwayError, SlipwayError } from '../../schemas/errors.ts';
import { connect } from '../connect.ts';
import { desiredFromGit } from '../desired.ts';
import { EXIT } from '../exit-codes.ts';
import { requireAgreement } from '../permission.ts';
import type { CommandContext } from '../run-command.ts';
import { planOrThrow, planSource, printPlan } from './plan.ts';

export async function resume(context: CommandContext): Promise<number> {
  const [namespace = ''] = context.args;
  const { output } = context;
  await using connection = await connect(context);
  const source = await desiredFromGit(connection, namespace, context.signal);
  const plan = planOrThrow(await planSource(connection, source, false));
  const before = await connection.namespaces.get(namespace);
  const dryRun = context.options['dryRun'] === true;
  if (!dryRun) {
    await requireAgreement(context, connection, plan).catch((error: unknown) => {
      // What is refused is shown first; the namespace stays as it was.
      if (isSlipwayError(error, 'CONSENT_NEEDED', 'APPROVAL_NEEDED')) printPlan(output, plan);
      throw error;
    });
    await connection.namespaces.change(namespace, (it) => ({ ...it, held: null, failed: null, carriedOut: null }));
  }
  const active = await connection.controller();
  output.result({ namespace, was: before, plan, controller: active }, () => {
    output.line(was(before));
    printPlan(output, plan);
    if (dryRun) return;
    output.line(
      active === null
        ? 'No controller is running: `slipway up` or `slipway deploy` carries it out.'
        : 'The controller carries it out now.',
    );
  });
  return EXIT.ok;
}

function was(record: {
  namespace: string;
  held: { by: string; why: string } | null;
  failed: { code: string; message: string } | null;
}): string {
  if (record.held !== null)
    return `${record.namespace} was held by ${record.held.by}: ${record.held.why}. Git would now change:`;
  if (record.failed !== null)
    return `${record.namespace} failed with ${record.failed.code}: ${record.failed.message}. It is tried again:`;
  return `${record.namespace} was not held. Git says:`;
}

/** Shared with commands that name a namespace: a clear error for one that nobody knows. */
export function unknownNamespace(namespace: string, known: readonly string[]): SlipwayError {
  const list = known.length === 0 ? 'there are none yet' : `there are ${known.join(', ')}`;
  return new SlipwayError('UNKNOWN_NAMESPACE', `no namespace ${namespace}: ${list}`);
}
