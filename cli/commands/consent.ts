/** `slipway consent` and `slipway approve`: a person says yes to exactly one plan, once; without one, what waits. */

import { AGREEMENTS, findPending, shortId } from '../../controller/consent/needs.ts';
import { readWaiting } from '../../controller/consent/read-waiting.ts';
import { afterGiving, type Waiting, waitingText } from '../../controller/consent/waiting.ts';
import type { AgreementKind, Pending } from '../../schemas/consent.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { type Connection, connect } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { type Output, printable } from '../output.ts';
import { giveAgreement } from '../permission.ts';
import { type CommandContext, textOption } from '../run-command.ts';

export async function consent(context: CommandContext): Promise<number> {
  return await agree(context, 'consent');
}

export async function approve(context: CommandContext): Promise<number> {
  return await agree(context, 'approval');
}

async function agree(context: CommandContext, kind: AgreementKind): Promise<number> {
  const [plan] = context.args;
  const { output } = context;
  await using connection = await connect(context);
  const waiting = await readWaiting(connection);
  if (plan === undefined) {
    output.result(waiting, () => printWaiting(output, waiting));
    return EXIT.ok;
  }
  const pending = findPending(
    waiting.map((it) => it.pending),
    plan,
  );
  if (!pending.needs.includes(kind)) throw otherKind(pending, kind);
  const why = textOption(context, 'message') ?? '';
  const fresh = await giveAgreement(connection, pending, kind, why);
  const next = await whatNow(connection, pending);
  output.result({ pending, kind, by: connection.actor, why, given: fresh, next }, () => {
    output.line(
      `${fresh ? '' : 'already '}${AGREEMENTS[kind].given}: plan ${shortId(pending.plan)} of ${pending.namespace}`,
    );
    for (const reason of pending.reasons) output.line(`  ${printable(reason)}`);
    output.line(`  ${printable(pending.summary)}`);
    output.line(`It is good for one deploy of exactly this plan. ${next}`);
  });
  return EXIT.ok;
}

async function whatNow(connection: Connection, pending: Pending): Promise<string> {
  const { namespace, plan } = pending;
  const [record, controller, frozen, waiting] = await Promise.all([
    connection.namespaces.get(namespace),
    connection.controller(),
    connection.freezes.holding(namespace),
    readWaiting(connection, namespace),
  ]);
  const missing = waiting.find((it) => it.pending.plan === plan)?.missing ?? [];
  return afterGiving({ pending, missing, record, frozen, controllerRuns: controller !== null });
}

function otherKind(pending: Pending, kind: AgreementKind): SlipwayError {
  const needs = pending.needs.map((it) => `\`slipway ${AGREEMENTS[it].command} ${shortId(pending.plan)}\``).join(', ');
  return new SlipwayError('USAGE', `plan ${shortId(pending.plan)} needs no ${kind}: ${needs}`);
}

function printWaiting(output: Output, waiting: readonly Waiting[]): void {
  if (waiting.length === 0) return output.line('No plan waits for a consent or an approval.');
  for (const it of waiting) output.line(printable(waitingText(it)));
}
