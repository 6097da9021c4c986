/** `/slipway approve PLAN`: a user of the forge agrees to exactly one plan, once; the same is checked again when it runs. */
import type { AgreementKind, Consent } from '../../schemas/consent.ts';
import type { ShownPlan } from '../../schemas/forge.ts';
import type { NamespaceName } from '../../schemas/names.ts';
import type { Store } from '../../store/port.ts';
import type { AnnounceDeps } from '../announce.ts';
import type { Agreements } from '../consent/agreements.ts';
import type { AgreedPlan, ConfirmAgreement } from '../consent/forge-check.ts';
import { shortId } from '../consent/needs.ts';
import { readWaiting } from '../consent/read-waiting.ts';
import { isoNow } from '../execute/clock.ts';
import { giveAgreement } from '../give-agreement.ts';
import type { PullRecords } from '../pulls/records.ts';
import { type Asked, actorOf, Refused } from './verbs.ts';

export interface ApproveDeps extends AnnounceDeps {
  readonly store: Store;
  readonly agreements: Agreements;
  readonly records: Pick<PullRecords, 'get'>;
  readonly confirmAgreement: ConfirmAgreement;
}

/** A plan that may be approved here and now. */
interface Candidate {
  readonly plan: AgreedPlan;
  readonly needs: readonly AgreementKind[];
  /** It was asked for and refused already: it waits for nothing else. */
  readonly waits: boolean;
}

/** Gives the approval. A consent is none: that takes an operator's key. @throws Refused */
export async function approve(deps: ApproveDeps, asked: Asked, digits: string): Promise<string> {
  const { plan, needs, waits } = await candidateFor(deps, asked, digits);
  const name = `Plan ${shortId(plan.id)} of ${plan.namespace}`;
  const consent = needs.includes('consent')
    ? `It needs a consent, which is given where the slipway command is: slipway consent ${shortId(plan.id)}.`
    : '';
  if (!needs.includes('approval')) throw new Refused(`${name} needs no approval. ${consent}`.trim());
  const approval = approvalOf(deps, asked, plan);
  const why = await deps.confirmAgreement(approval, plan, asked.signal);
  if (why !== null) throw new Refused(why);
  await giveAgreement(deps, approval);
  const then = waits
    ? 'If git still says so, it is carried out now; what was asked for by hand has to be asked for again.'
    : 'It is carried out after the merge, if the plan is still the same then and nothing else went live before.';
  return `${name} is approved, for one deploy of exactly this plan. ${consent === '' ? then : consent}`;
}

async function candidateFor(deps: ApproveDeps, asked: Asked, digits: string): Promise<Candidate> {
  const waiting = (await readWaiting(deps)).filter((it) => it.pending.plan.startsWith(digits));
  const pending = waiting.map(({ pending: { plan, namespace, release, desiredDigest, needs } }) => ({
    plan: { id: plan, namespace, basis: { release, desiredDigest } },
    needs,
    waits: true,
  }));
  const record = await deps.records.get(asked.pull.number);
  const shown = Object.entries(record?.namespaces ?? {});
  const now = shown.flatMap(([namespace, it]) => {
    const last = it.plans.at(-1);
    return last?.plan.startsWith(digits) === true ? [{ namespace, last, desiredDigest: it.desiredDigest ?? '' }] : [];
  });
  const ids = new Set([...pending.map((it) => it.plan.id), ...now.map((it) => it.last.plan)]);
  if (ids.size > 1) throw new Refused(`${digits} is the beginning of several plans: write more of the id.`);
  const [first] = pending;
  if (first !== undefined) return first;
  const [found] = now;
  if (found !== undefined) return await shownNow(deps, asked, found);
  const isOld = shown.some(([, it]) => it.plans.some((plan) => plan.plan.startsWith(digits)));
  throw new Refused(
    isOld
      ? `Plan ${digits} is not what this pull request would do any more; its comment shows the plan of now.`
      : `No plan ${digits} is shown in this pull request or waits for anybody.`,
  );
}

/** The plan that the comment shows, if that is still what it was when it was shown. */
async function shownNow(
  { store }: ApproveDeps,
  { pull, settings }: Asked,
  found: { readonly namespace: NamespaceName; readonly last: ShownPlan; readonly desiredDigest: string },
): Promise<Candidate> {
  const { namespace, last, desiredDigest } = found;
  const later = 'its comment will show the plan of now';
  if (last.head !== pull.head.revision)
    throw new Refused(`The pull request was pushed to since this plan was shown; ${later}.`);
  const live = (await store.log.live(namespace))?.n ?? null;
  if (live !== last.release)
    throw new Refused(`Something else went live in ${namespace} since this plan was shown; ${later}.`);
  const isAsked = Object.hasOwn(settings.approvals, namespace) && settings.approvals[namespace]?.required === true;
  const basis = { release: last.release, desiredDigest };
  return { plan: { id: last.plan, namespace, basis }, needs: isAsked ? ['approval'] : [], waits: false };
}

function approvalOf({ clock }: ApproveDeps, { user, pull, comment }: Asked, plan: AgreedPlan): Consent {
  return {
    kind: 'approval',
    plan: plan.id,
    namespace: plan.namespace,
    release: plan.basis.release,
    by: actorOf(user),
    why: `pull request #${pull.number}`,
    at: isoNow(clock),
    used: null,
    forge: { login: user.login, userId: user.id, pull: pull.number, comment },
  };
}
