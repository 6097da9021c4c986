/** Gives an agreement, and lets everybody know. */
import type { Consent } from '../schemas/consent.ts';
import { type AnnounceDeps, announce } from './announce.ts';
import type { Agreements } from './consent/agreements.ts';
import { shortId } from './consent/needs.ts';

/** false: one that waits to be used was there already, and stays as it is. */
export async function giveAgreement(
  deps: AnnounceDeps & { readonly agreements: Agreements },
  consent: Consent,
): Promise<boolean> {
  if (!(await deps.agreements.give(consent))) return false;
  const { kind, plan, namespace, by, why } = consent;
  const message = `${by} gives ${kind} to plan ${shortId(plan)}${why === '' ? '' : `: ${why}`}`;
  await announce(deps, { kind: `${kind}.given`, namespace, actor: by, message });
  return true;
}
