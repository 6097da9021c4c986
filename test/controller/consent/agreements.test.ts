import { beforeEach, describe, expect, it } from 'vitest';
import { type Agreements, createAgreements } from '../../../controller/consent/agreements.ts';
import { covers, findPending, needsOf, pendingOf } from '../../../controller/consent/needs.ts';
import { readWaiting } from '../../../controller/consent/read-waiting.ts';
import { afterGiving, waitingText } from '../../../controller/consent/waiting.ts';
import type { AgreementKind, Consent } from '../../../schemas/consent.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import type { Plan } from '../../../schemas/plan.ts';
import { createMemoryStore } from '../../../store/memory.ts';
import type { Store } from '../../../store/port.ts';
import { planOf } from '../../builders/plan.ts';
import { released } from '../../builders/plan-input.ts';
import { deployId, release } from '../../builders/release.ts';
import { serviceSpec } from '../../builders/service.ts';

const AT = '2026-01-01T00:00:00.000Z';
const ASKED = { by: 'controller', at: AT };
const named = (...names: string[]) => names.map((name) => serviceSpec({ name }));
/** Removes two of three services. */
const removal = (overrides: Parameters<typeof planOf>[0] = {}): Plan =>
  planOf({ services: named('a'), released: released(named('a', 'b', 'c')), ...overrides });
const yes = (plan: Plan, kind: AgreementKind = 'consent'): Consent => ({
  kind,
  plan: plan.id,
  namespace: plan.namespace,
  release: plan.basis.release,
  by: 'cli/ops',
  why: 'they are empty',
  at: AT,
  used: null,
});
const used = { deploy: deployId(1), at: AT };

let store: Store;
let agreements: Agreements;
beforeEach(() => {
  store = createMemoryStore({ clock: { now: () => Date.now() }, log: silentLogger });
  agreements = createAgreements({ bucket: store.bucket('consents') });
});

describe('an agreement', () => {
  it('covers nothing that differs from it in plan or release, and nothing once it is used', () => {
    const plan = removal();
    const of = { id: plan.id, release: 1 };
    expect(covers(yes(plan), of)).toBe(true);
    expect(covers(yes(plan), { ...of, id: 'f'.repeat(64) })).toBe(false);
    expect(covers(yes(plan), { ...of, release: null })).toBe(false);
    expect(covers({ ...yes(plan), used }, of)).toBe(false);
    expect(covers(null, of)).toBe(false);
  });

  it('is for exactly one plan, over exactly the release it was given for', async () => {
    const plan = removal();
    await agreements.give(yes(plan));
    expect(await agreements.missing(plan)).toEqual([]);
    expect(await agreements.missing(removal({ services: named('b') }))).toEqual(['consent']);
    const later = removal({ released: released(named('a', 'b', 'c'), { n: 2 }) });
    expect(later.id).toBe(plan.id);
    expect(await agreements.missing(later)).toEqual(['consent']);
    expect(await agreements.use(later, 'consent', used)).toBe(null);
  });

  it('is used once, by one of those who come at the same time', async () => {
    const plan = removal();
    await agreements.give(yes(plan));
    const all = await Promise.all(Array.from({ length: 8 }, () => agreements.use(plan, 'consent', used)));
    expect(all.filter((it) => it !== null)).toEqual([{ ...yes(plan), used }]);
    expect(await agreements.use(plan, 'consent', used)).toBe(null);
    expect(await agreements.missing(plan)).toEqual(['consent']);
  });

  it('can be given again after it was used, and not twice before', async () => {
    const plan = removal();
    expect(await agreements.give(yes(plan))).toBe(true);
    expect(await agreements.give({ ...yes(plan), by: 'cli/eve' })).toBe(false);
    expect((await agreements.given({ namespace: plan.namespace, plan: plan.id }, 'consent'))?.by).toBe('cli/ops');
    await agreements.use(plan, 'consent', used);
    expect(await agreements.give(yes(plan))).toBe(true);
  });

  it('over an earlier release is forgotten when a later plan took its own', async () => {
    const first = removal();
    const second = removal({ released: released(named('a', 'b', 'c'), { n: 2 }), services: named('b') });
    await agreements.give(yes(first));
    await agreements.give(yes(second));
    await agreements.use(second, 'consent', used);
    await agreements.settle(second);
    const of = (plan: Plan) => ({ namespace: plan.namespace, plan: plan.id });
    expect(await agreements.given(of(first), 'consent')).toBe(null);
    expect(await agreements.given(of(second), 'consent')).toMatchObject({ used });
  });

  it('of one kind is none of the other', async () => {
    const plan = removal({ approvalRequired: true });
    expect(needsOf(plan)).toEqual(['consent', 'approval']);
    await agreements.give(yes(plan, 'approval'));
    await expect(agreements.require(plan, ASKED)).rejects.toMatchObject({ code: 'CONSENT_NEEDED' });
    await agreements.give(yes(plan, 'consent'));
    await agreements.require(plan, ASKED);
  });
});

describe('a plan that was refused', () => {
  it('waits with its reasons and the command that lets it go on', async () => {
    const plan = removal();
    await expect(agreements.require(plan, ASKED)).rejects.toMatchObject({
      message: `2 of 3 services are removed; more than 50% needs consent. \`slipway consent ${plan.id.slice(0, 12)}\` lets it be carried out`,
    });
    expect(await agreements.pending('production')).toEqual([pendingOf(plan, ASKED)]);
    const of = { namespace: 'production', desiredDigest: plan.basis.desiredDigest, release: 1 };
    expect(await agreements.agreed(of)).toBe(false);
    await agreements.give(yes(plan));
    expect(await agreements.agreed(of)).toBe(true);
    expect(await agreements.agreed({ ...of, release: 2 })).toBe(false);
  });

  it('is kept with the newest twenty that start from the same release', async () => {
    const from = released(named('a', 'b', 'c'));
    for (let i = 0; i < 25; i++) {
      const services = [serviceSpec({ name: 'a', template: { env: { V: String(i) } } })];
      await agreements.ask(planOf({ services, released: from }), { by: 'cli/ops', at: new Date(i).toISOString() });
    }
    expect(await agreements.pending('production')).toHaveLength(20);
    await agreements.ask(removal({ released: released(named('a', 'b', 'c'), { n: 2 }) }), ASKED);
    expect((await agreements.pending('production')).map((it) => it.release)).toEqual([2]);
  });

  it('is found by its id or twelve digits of it, and no other way', () => {
    const pending = pendingOf(removal(), ASKED);
    expect(findPending([pending], pending.plan)).toBe(pending);
    expect(findPending([pending], pending.plan.slice(0, 12))).toBe(pending);
    const error = (text: string, all = [pending]) => {
      try {
        return findPending(all, text).plan;
      } catch (thrown) {
        return (thrown as Error).message;
      }
    };
    expect(error(pending.plan.slice(0, 11))).toContain('too short');
    expect(error('0'.repeat(12))).toContain(`these do: ${pending.plan.slice(0, 12)} (production: consent)`);
    expect(error('0'.repeat(12), [])).toContain('none does');
    const twin = { ...pending, plan: `${pending.plan.slice(0, 12)}${'f'.repeat(52)}` };
    expect(error(pending.plan.slice(0, 12), [pending, twin])).toContain('several plans');
  });

  it('is listed while the release it starts from is live, with what is missing', async () => {
    const plan = removal({ approvalRequired: true });
    await agreements.ask(plan, ASKED);
    await agreements.give(yes(plan));
    expect(await readWaiting({ store, agreements })).toEqual([]);
    await store.log.append(release(named('a', 'b', 'c')));
    const [waiting] = await readWaiting({ store, agreements }, 'production');
    expect(waiting).toMatchObject({ missing: ['approval'] });
    expect(waiting === undefined ? '' : waitingText(waiting)).toContain(
      `waits for \`slipway approve ${plan.id.slice(0, 12)}\``,
    );
  });
});

describe('what happens after an agreement', () => {
  const pending = pendingOf(removal(), ASKED);
  const record = { namespace: 'production', carriedOut: null, failed: null, held: null };
  const failed = {
    desiredDigest: '0'.repeat(64),
    deploy: null,
    code: 'CONSENT_NEEDED',
    message: '',
    retryAt: null,
    attempts: 1,
  };
  const base = { pending, missing: [], record: { ...record, failed }, frozen: null, controllerRuns: true } as const;

  it.each([
    {
      name: 'another agreement is missing',
      args: { ...base, missing: ['approval' as const] },
      text: 'slipway approve',
    },
    {
      name: 'a freeze holds',
      args: { ...base, frozen: { scope: '*', by: 'ops', why: 'a sale', until: null, readable: true } },
      text: 'frozen by ops',
    },
    {
      name: 'the namespace is held',
      args: { ...base, record: { ...record, held: { by: 'ops', why: '', at: AT, desiredDigest: null } } },
      text: 'slipway resume production',
    },
    { name: 'a command was refused', args: { ...base, record }, text: 'Run the command' },
    { name: 'the loop waits', args: base, text: 'the controller carries it out now' },
    { name: 'no controller runs', args: { ...base, controllerRuns: false }, text: 'No controller is running' },
  ])('is said when $name', ({ args, text }) => {
    expect(afterGiving(args)).toContain(text);
  });
});
