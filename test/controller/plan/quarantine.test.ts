import { describe, expect, it } from 'vitest';
import { contentDigest, quarantineOf } from '../../../controller/plan/quarantine.ts';
import type { LogEntry, Release } from '../../../schemas/release.ts';
import { type ServiceSpec, specDigest } from '../../../schemas/service.ts';
import { planOf } from '../../builders/plan.ts';
import { released } from '../../builders/plan-input.ts';
import { deployId, release } from '../../builders/release.ts';
import { serviceSpec } from '../../builders/service.ts';

const web = (version: string) => serviceSpec({ name: 'web', template: { env: { V: version } } });
const db = (version: string) => serviceSpec({ name: 'db', template: { env: { V: version } } });

/** Entries from 1 on; a number is a rollback to that release. */
function log(...entries: readonly { readonly specs: readonly ServiceSpec[]; readonly back?: number }[]): Release[] {
  return entries.map(({ specs, back }, index) =>
    release(specs, {
      n: index + 1,
      actor: back === undefined ? 'controller' : 'cli/ops',
      lineage: { previous: index === 0 ? null : index, rollbackTo: back ?? null },
    }),
  );
}

const short = (entries: readonly LogEntry[]) => quarantineOf(entries).map((it) => [it.service, it.spec, it.release]);

describe('quarantine', () => {
  it('holds what a rollback took away, and not what it kept', () => {
    const entries = log(
      { specs: [web('1'), db('1')] },
      { specs: [web('2'), db('1')] },
      { specs: [web('1'), db('1')], back: 1 },
    );
    expect(quarantineOf(entries)).toEqual([
      {
        service: 'web',
        spec: specDigest(web('2')),
        release: 2,
        rollback: { n: 3, at: '2026-01-01T00:00:00.000Z', actor: 'cli/ops' },
      },
    ]);
  });

  it('holds a service that the earlier release did not have', () => {
    const entries = log({ specs: [web('1')] }, { specs: [web('1'), db('1')] }, { specs: [web('1')], back: 1 });
    expect(short(entries)).toEqual([['db', specDigest(db('1')), 2]]);
  });

  it('is lifted by a release that has it again without being a rollback, for what it names alone', () => {
    const back = log(
      { specs: [web('1'), db('1')] },
      { specs: [web('2'), db('2')] },
      { specs: [web('1'), db('1')], back: 1 },
    );
    const again = release([web('2'), db('1')], { n: 4 });
    expect(short([...back, again])).toEqual([['db', specDigest(db('2')), 2]]);
  });

  it('is not lifted by a rollback to it, nor by other entries in between', () => {
    const base = { namespace: 'production', at: '2026-01-01T00:00:00.000Z', actor: 'controller', deploy: deployId(1) };
    const voided: LogEntry = { ...base, kind: 'void', n: 4, reason: 'a test' };
    const entries = log({ specs: [web('1')] }, { specs: [web('2')] }, { specs: [web('1')], back: 1 });
    const forward = release([web('2')], { n: 5, lineage: { previous: 3, rollbackTo: 2 } });
    expect(short([...entries, voided])).toEqual([['web', specDigest(web('2')), 2]]);
    expect(short([...entries, voided, forward])).toEqual([
      ['web', specDigest(web('2')), 2],
      ['web', specDigest(web('1')), 3],
    ]);
  });

  it('names every service once, by the rollback that came last', () => {
    const entries = log(
      { specs: [web('1')] },
      { specs: [web('2')] },
      { specs: [web('1')], back: 1 },
      { specs: [web('2')], back: 2 },
      { specs: [web('1')], back: 1 },
    );
    expect(short(entries)).toEqual([
      ['web', specDigest(web('1')), 3],
      ['web', specDigest(web('2')), 4],
    ]);
  });
});

describe('a plan that brings back what was rolled back', () => {
  const entries = log({ specs: [web('1')] }, { specs: [web('2')] }, { specs: [web('1')], back: 1 });
  const live = released([web('1')], { n: 3 });
  const quarantined = quarantineOf(entries).map((it) => ({ ...it, content: contentDigest(web('2')) }));

  it('needs consent, which names service, release and who rolled back', () => {
    expect(planOf({ services: [web('2')], released: live, quarantined }).consents).toEqual([
      'Service web would be as in release #2 again, which cli/ops rolled back at 2026-01-01T00:00:00.000Z (#3).',
    ]);
  });

  it('needs consent also with another version of a secret by now', () => {
    const secret = (version: number, secrets: number) =>
      serviceSpec({ name: 'web', template: { env: { V: `${version} {{secret:word}}` }, secrets: { word: secrets } } });
    const gone = quarantineOf(log({ specs: [web('1')] }, { specs: [secret(2, 1)] }, { specs: [web('1')], back: 1 }));
    const held = gone.map((it) => ({ ...it, content: contentDigest(secret(2, 1)) }));
    expect(planOf({ services: [secret(2, 5)], released: live, quarantined: held }).consents).toHaveLength(1);
    expect(planOf({ services: [secret(3, 5)], released: live, quarantined: held }).consents).toEqual([]);
  });

  it('needs none when it brings something else, or is a rollback itself', () => {
    expect(planOf({ services: [web('3')], released: live, quarantined }).consents).toEqual([]);
    expect(
      planOf({ services: [web('2')], released: live, quarantined, kind: 'rollback', rollbackTo: 2 }).consents,
    ).toEqual([]);
  });

  it('needs none for what is live already', () => {
    const forward = released([web('2')], { n: 4, lineage: { previous: 3, rollbackTo: 2 } });
    expect(planOf({ services: [web('2'), db('1')], released: forward, quarantined }).consents).toEqual([]);
  });
});

describe('an approval', () => {
  it('is wanted of every plan that changes something, where settings say so, and is no part of its id', () => {
    const wanted = planOf({ services: [web('1')], approvalRequired: true });
    expect(wanted.approvals).toEqual([
      'Every plan of production needs an approval (slipway.toml, [approvals.production]).',
    ]);
    expect(wanted.id).toBe(planOf({ services: [web('1')] }).id);
    expect(planOf({ services: [web('1')], released: released([web('1')]), approvalRequired: true }).approvals).toEqual(
      [],
    );
  });
});
