/**
 * Agreements in the store: what waits for one, what was given, what was used. One is used by compare-and-set, so that
 * of two executors only one can; whoever dies after that has to ask again.
 */
import { type AgreementKind, Consent, Pending } from '../../schemas/consent.ts';
import { isSlipwayError } from '../../schemas/errors.ts';
import type { DeployId, NamespaceName } from '../../schemas/names.ts';
import type { Plan } from '../../schemas/plan.ts';
import type { Bucket } from '../../store/port.ts';
import { covers, needsOf, pendingOf, refusal } from './needs.ts';

/** How many refused plans of a namespace are kept. */
const KEPT = 20;

export interface Agreements {
  /** Plans that were refused, newest first; of all namespaces without one. */
  pending(namespace?: NamespaceName): Promise<Pending[]>;
  /** The plan waits: written for people to see. What started from another release waits for nothing any more. */
  ask(plan: Plan, asked: { readonly by: string; readonly at: string }): Promise<void>;
  given(pending: Pick<Pending, 'namespace' | 'plan'>, kind: AgreementKind): Promise<Consent | null>;
  /** false: one that nobody used yet was given before, and stays as it is. */
  give(consent: Consent): Promise<boolean>;
  /** What the plan needs and nobody gave. */
  missing(plan: Plan): Promise<AgreementKind[]>;
  /** Whether a refused plan of this desired digest over this release has all that it needs now. */
  agreed(args: {
    readonly namespace: NamespaceName;
    readonly desiredDigest: string;
    readonly release: number | null;
  }): Promise<boolean>;
  /** @throws CONSENT_NEEDED or APPROVAL_NEEDED, after the plan was written as waiting */
  require(plan: Plan, asked: { readonly by: string; readonly at: string }): Promise<void>;
  /** Takes one agreement for a deploy; null: there is none, or somebody else took it. */
  use(
    plan: Plan,
    kind: AgreementKind,
    used: { readonly deploy: DeployId; readonly at: string },
  ): Promise<Consent | null>;
  /** The plan waits no longer. Agreements over earlier releases are forgotten: deploys and events keep who gave them. */
  settle(plan: Plan): Promise<void>;
}

export function createAgreements({ bucket }: { readonly bucket: Bucket }): Agreements {
  const pendingKey = (it: { namespace: string; plan: string }) => ['pending', it.namespace, it.plan];
  const givenKey = (it: { namespace: string; plan: string }, kind: AgreementKind) => [
    'given',
    it.namespace,
    kind,
    it.plan,
  ];
  const about = (plan: Plan) => ({ namespace: plan.namespace, plan: plan.id });
  const basis = (plan: Plan) => ({ id: plan.id, release: plan.basis.release });

  async function pending(namespace?: NamespaceName): Promise<Pending[]> {
    const entries = await bucket.list(namespace === undefined ? ['pending'] : ['pending', namespace]);
    // Only shown and asked again: one that cannot be read waits for nothing.
    const readable = entries.flatMap((it) => Pending.safeParse(it.value).data ?? []);
    return readable.toSorted((a, b) => (a.at > b.at ? -1 : 1));
  }

  async function given(of: Pick<Pending, 'namespace' | 'plan'>, kind: AgreementKind): Promise<Consent | null> {
    const entry = await bucket.get(givenKey(of, kind));
    return entry === null ? null : Consent.parse(entry.value);
  }

  async function missing(plan: Plan): Promise<AgreementKind[]> {
    const needs = needsOf(plan);
    const has = await Promise.all(needs.map(async (kind) => covers(await given(about(plan), kind), basis(plan))));
    return needs.filter((_, i) => has[i] !== true);
  }

  async function ask(plan: Plan, asked: { readonly by: string; readonly at: string }): Promise<void> {
    const own = pendingOf(plan, asked);
    await bucket.put(pendingKey(own), own);
    const all = await pending(plan.namespace);
    const over = all.filter((it, index) => index >= KEPT || it.release !== own.release);
    for (const it of over) if (it.plan !== own.plan) await bucket.delete(pendingKey(it));
  }

  return {
    pending,
    ask,
    given,
    missing,
    async give(consent) {
      const key = givenKey(consent, consent.kind);
      for (;;) {
        const entry = await bucket.get(key);
        const before = entry === null ? null : Consent.parse(entry.value);
        if (covers(before, { id: consent.plan, release: consent.release })) return false;
        try {
          if (entry === null) await bucket.create(key, consent);
          else await bucket.update(key, consent, entry.revision);
          return true;
        } catch (error) {
          if (!isSlipwayError(error, 'STATE_CONFLICT')) throw error;
        }
      }
    },
    async agreed({ namespace, desiredDigest, release }) {
      const waiting = (await pending(namespace)).filter(
        (it) => it.desiredDigest === desiredDigest && it.release === release,
      );
      const has = waiting.map(async (it) => {
        const all = await Promise.all(it.needs.map((kind) => given(it, kind)));
        return all.every((consent) => covers(consent, { id: it.plan, release }));
      });
      return (await Promise.all(has)).includes(true);
    },
    async require(plan, asked) {
      const lacking = await missing(plan);
      if (lacking.length === 0) return;
      await ask(plan, asked);
      throw refusal(plan, lacking);
    },
    async use(plan, kind, used) {
      const entry = await bucket.get(givenKey(about(plan), kind));
      const consent = entry === null ? null : Consent.parse(entry.value);
      if (entry === null || consent === null || !covers(consent, basis(plan))) return null;
      try {
        await bucket.update(entry.key, { ...consent, used }, entry.revision);
      } catch (error) {
        if (isSlipwayError(error, 'STATE_CONFLICT')) return null;
        throw error;
      }
      return { ...consent, used };
    },
    async settle(plan) {
      await bucket.delete(pendingKey(about(plan)));
      for (const { key, value } of await bucket.list(['given', plan.namespace])) {
        const release = Consent.safeParse(value).data?.release;
        if (release !== undefined && (release ?? 0) < (plan.basis.release ?? 0)) await bucket.delete(key);
      }
    },
  };
}
