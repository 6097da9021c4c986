/**
 * Agreements in the store: what waits for one, what was given, what was used. One is used by compare-and-set, so that
 * of two executors only one can; whoever dies after that has to ask again.
 */
import { type AgreementKind, Consent, Pending } from '../../schemas/consent.ts';
import { isSlipwayError } from '../../schemas/errors.ts';
import type { DeployId, NamespaceName } from '../../schemas/names.ts';
import type { Plan } from '../../schemas/plan.ts';
import type { Bucket, Key } from '../../store/port.ts';
import { type Asked, type Covers, covers as coversExactly, needsOf, pendingOf, refusal } from './needs.ts';

/** How many refused plans of a namespace are kept. */
const KEPT = 20;

export interface Agreements {
  /** Plans that were refused, newest first; of all namespaces without one. */
  pending(namespace?: NamespaceName): Promise<Pending[]>;
  /** The plan waits: written for people to see. What started from another release waits for nothing any more. */
  ask(plan: Plan, asked: Asked): Promise<void>;
  /** The newest that can still be used, else the newest that was. */
  given(pending: Pick<Pending, 'namespace' | 'plan'>, kind: AgreementKind): Promise<Consent | null>;
  /** Every agreement of a kind that may be taken for the plan: those that need no look at the forge first. */
  covering(plan: Plan, kind: AgreementKind): Promise<Consent[]>;
  /** Agreements to plans of the namespace that nobody used yet. */
  unused(namespace: NamespaceName): Promise<Consent[]>;
  /** false: one that nobody used yet was given before by the same user (or by an operator), and stays as it is. */
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
  require(plan: Plan, asked: Asked): Promise<void>;
  /** Takes one agreement (that one, or any) for a deploy; null: there is none, or somebody else took it. */
  use(
    plan: Plan,
    kind: AgreementKind,
    used: { readonly deploy: DeployId; readonly at: string },
    which?: Consent,
  ): Promise<Consent | null>;
  /**
   * The plan waits no longer. Agreements over earlier releases, and others to this plan, are forgotten: deploys and events
   * keep who gave them.
   */
  settle(plan: Plan): Promise<void>;
}

export function createAgreements(deps: { readonly bucket: Bucket; readonly covers?: Covers }): Agreements {
  const { bucket, covers = coversExactly } = deps;
  const pendingKey = (it: { namespace: string; plan: string }) => ['pending', it.namespace, it.plan];
  const basis = (plan: Plan) => ({ id: plan.id, release: plan.basis.release });

  async function pending(namespace?: NamespaceName): Promise<Pending[]> {
    const entries = await bucket.list(namespace === undefined ? ['pending'] : ['pending', namespace]);
    // Only shown and asked again: one that cannot be read waits for nothing.
    const readable = entries.flatMap((it) => Pending.safeParse(it.value).data ?? []);
    return readable.toSorted((a, b) => (a.at > b.at ? -1 : 1));
  }

  /** All of a kind, with where they lie. One that cannot be read is a bug, and agrees to nothing. */
  async function entries(namespace: NamespaceName, kind: AgreementKind) {
    const all = await bucket.list(['given', namespace, kind]);
    return all.map(({ key, value, revision }) => ({ key, revision, consent: Consent.parse(value) }));
  }

  async function coveringEntries(plan: { id: string; release: number | null; namespace: string }, kind: AgreementKind) {
    const all = (await entries(plan.namespace, kind)).filter(({ consent }) => covers(consent, plan));
    const rank = ({ forge }: Consent) => (forge === undefined ? 0 : 1);
    return all.toSorted((a, b) => rank(a.consent) - rank(b.consent));
  }

  async function missing(plan: Plan): Promise<AgreementKind[]> {
    const needs = needsOf(plan);
    const about = { ...basis(plan), namespace: plan.namespace };
    const has = await Promise.all(needs.map(async (kind) => (await coveringEntries(about, kind)).length > 0));
    return needs.filter((_, i) => has[i] !== true);
  }

  async function ask(plan: Plan, asked: Asked): Promise<void> {
    const fresh = pendingOf(plan, asked);
    const before = Pending.safeParse((await bucket.get(pendingKey(fresh)))?.value).data;
    // Whoever asked first stays its author: nobody else takes that over by asking again.
    const keeps = before !== undefined && before.forgeUser !== undefined && before.release === fresh.release;
    const own = keeps ? { ...fresh, by: before.by, forgeUser: before.forgeUser } : fresh;
    await bucket.put(pendingKey(own), own);
    const all = await pending(plan.namespace);
    const over = all.filter((it, index) => index >= KEPT || it.release !== own.release);
    for (const it of over) if (it.plan !== own.plan) await bucket.delete(pendingKey(it));
  }

  return {
    pending,
    ask,
    missing,
    async given({ namespace, plan }, kind) {
      const all = (await entries(namespace, kind)).map((it) => it.consent).filter((it) => it.plan === plan);
      const newest = all.toSorted((a, b) => (a.at > b.at ? -1 : 1));
      return newest.find((it) => it.used === null) ?? newest[0] ?? null;
    },
    async covering(plan, kind) {
      const found = await coveringEntries({ ...basis(plan), namespace: plan.namespace }, kind);
      return found.map((it) => it.consent);
    },
    async unused(namespace) {
      const all = await bucket.list(['given', namespace]);
      return all.flatMap((it) => Consent.safeParse(it.value).data ?? []).filter((it) => it.used === null);
    },
    async give(consent) {
      const key = givenKey(consent);
      for (;;) {
        const entry = await bucket.get(key);
        const before = entry === null ? null : Consent.parse(entry.value);
        const same = { id: consent.plan, release: consent.release };
        // A comment written since says it again: the earlier one may be gone.
        if (coversExactly(before, same) && before?.forge?.comment === consent.forge?.comment) return false;
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
        const about = { id: it.plan, release, namespace };
        const all = await Promise.all(it.needs.map((kind) => coveringEntries(about, kind)));
        return all.every((found) => found.length > 0);
      });
      return (await Promise.all(has)).includes(true);
    },
    async require(plan, asked) {
      const lacking = await missing(plan);
      if (lacking.length === 0) return;
      await ask(plan, asked);
      throw refusal(plan, lacking, asked.more);
    },
    async use(plan, kind, used, which) {
      const found = await coveringEntries({ ...basis(plan), namespace: plan.namespace }, kind);
      const entry = found.find((it) => which === undefined || isSame(it.consent, which));
      if (entry === undefined) return null;
      try {
        await bucket.update(entry.key, { ...entry.consent, used }, entry.revision);
      } catch (error) {
        if (isSlipwayError(error, 'STATE_CONFLICT')) return null;
        throw error;
      }
      return { ...entry.consent, used };
    },
    async settle(plan) {
      await bucket.delete(pendingKey({ namespace: plan.namespace, plan: plan.id }));
      for (const { key, value } of await bucket.list(['given', plan.namespace])) {
        const consent = Consent.safeParse(value).data;
        if (consent === undefined) continue;
        const isEarlier = (consent.release ?? 0) < (plan.basis.release ?? 0);
        const isLeftOver = consent.used === null && consent.plan === plan.id;
        if (isEarlier || isLeftOver) await bucket.delete(key);
      }
    },
  };
}

/** One place for operators, and one for each user of a forge: the agreement of one does not stand in another's way. */
function givenKey({ namespace, kind, plan, forge }: Consent): Key {
  const key = ['given', namespace, kind, plan];
  return forge === undefined ? key : [...key, 'forge', `${forge.userId}`];
}

function isSame(a: Consent, b: Consent): boolean {
  return a.at === b.at && a.by === b.by && a.forge?.comment === b.forge?.comment;
}
