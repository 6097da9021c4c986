/** Permission to carry a plan out: what a command checks before it begins, and what `--consent` gives. */

import { PLAN_DIGITS, pendingOf, refusal, shortId } from '../controller/consent/needs.ts';
import { isoNow } from '../controller/execute/clock.ts';
import { giveAgreement as announced } from '../controller/give-agreement.ts';
import type { AgreementKind, Pending } from '../schemas/consent.ts';
import { isSlipwayError, SlipwayError } from '../schemas/errors.ts';
import type { Plan } from '../schemas/plan.ts';
import type { Connection } from './connect.ts';
import { type CommandContext, textOption } from './run-command.ts';

/** @throws FROZEN, and as `requireAgreement`; the executor asks all of it again before its first step */
export async function requirePermission(context: CommandContext, connection: Connection, plan: Plan): Promise<void> {
  await connection.freezes.refuseFrozen(plan.namespace);
  await requireAgreement(context, connection, plan);
}

/** Gives the consent that `--consent PLAN` is. @throws CONSENT_NEEDED, APPROVAL_NEEDED: the plan waits, and is listed */
export async function requireAgreement(context: CommandContext, connection: Connection, plan: Plan): Promise<void> {
  const asked = { by: connection.actor, at: isoNow(connection.clock) };
  const given = textOption(context, 'consent');
  if (given !== undefined && plan.consents.length > 0) {
    if (given.length < PLAN_DIGITS || !plan.id.startsWith(given)) {
      await connection.agreements.ask(plan, asked);
      const refused = refusal(plan, ['consent']);
      throw new SlipwayError(
        refused.code,
        `--consent ${given} is for another plan. ${refused.message}`,
        refused.details,
      );
    }
    await giveAgreement(connection, pendingOf(plan, asked), 'consent', textOption(context, 'message') ?? '');
  }
  try {
    await connection.agreements.require(plan, asked);
  } catch (error) {
    if (!isSlipwayError(error, 'CONSENT_NEEDED')) throw error;
    const now = `; --consent ${shortId(plan.id)} with this command consents to it and carries it out`;
    throw new SlipwayError(error.code, error.message + now, error.details);
  }
}

/** Records an agreement with who gives it and why. false: one that waits to be used was there already. */
export async function giveAgreement(
  connection: Connection,
  pending: Pending,
  kind: AgreementKind,
  why: string,
): Promise<boolean> {
  const { plan, namespace, release } = pending;
  const at = isoNow(connection.clock);
  const by = connection.actor;
  return await announced(connection, { kind, plan, namespace, release, by, why, at, used: null });
}
