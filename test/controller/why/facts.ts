/** Builder for what is known of one service: production/web, live and ready as git says, unless told otherwise. */
import type { SlotView } from '../../../controller/slots.ts';
import type { WhyFacts } from '../../../controller/why/facts.ts';
import type { Deploy } from '../../../schemas/deploy.ts';
import { deployId, slotRows } from '../../builders/release.ts';
import { serviceSpec } from '../../builders/service.ts';
import { report } from '../../routing/builders.ts';

export const DIGEST = 'd'.repeat(64);

export function facts(overrides: Partial<WhyFacts> = {}): WhyFacts {
  return {
    at: '2026-01-01T12:00:00.000Z',
    namespace: 'production',
    service: 'web',
    live: {
      n: 7,
      revision: '1'.repeat(40),
      managedBy: 'git',
      service: { since: 5, at: '2026-01-01T10:00:00.000Z', by: 'controller', job: false, jobEnd: null },
    },
    git: { kind: 'same', revision: '1'.repeat(40), desiredDigest: DIGEST, fields: [] },
    record: { namespace: 'production', carriedOut: DIGEST, failed: null, held: null },
    open: [],
    leaseHolder: null,
    failure: null,
    controller: 'controller #m1:1:1',
    source: { at: '2026-01-01T11:00:00.000Z', kind: 'ok', revision: '1'.repeat(40), messages: [], invalid: [] },
    slots: [slot('web.0', 'ready')],
    dependencies: [],
    drift: [],
    frozen: null,
    pending: [],
    quarantined: [],
    ...overrides,
  };
}

export function slot(name: string, state: SlotView['state']): SlotView {
  const [row] = slotRows(serviceSpec());
  if (row === undefined) throw new Error('no row');
  const found =
    state === 'missing' || state === 'unknown' ? null : report('production', { ...row, slot: name }, { state });
  return { slot: name, service: 'web', machine: 'm1', state, report: found };
}

/** Git says something else, at another revision that the controller has read. */
export function differing(overrides: Partial<WhyFacts> = {}): WhyFacts {
  const revision = '2'.repeat(40);
  return facts({
    git: {
      kind: 'differs',
      revision,
      desiredDigest: 'e'.repeat(64),
      fields: [{ path: 'env.VERSION', before: '"1"', after: '"2"' }],
    },
    source: { at: '2026-01-01T11:00:00.000Z', kind: 'ok', revision, messages: [], invalid: [] },
    ...overrides,
  });
}

export function openDeploy(overrides: Partial<Deploy> = {}): Deploy {
  return {
    id: deployId(3),
    namespace: 'production',
    kind: 'deploy',
    actor: 'controller',
    startedAt: '2026-01-01T11:59:00.000Z',
    endedAt: null,
    state: 'applying',
    planId: DIGEST,
    tip: 7,
    managedBy: 'git',
    source: { revision: null, desiredDigest: DIGEST },
    rollbackTo: null,
    machines: ['m1'],
    counts: { create: 0, update: 1, remove: 0, unchanged: 0 },
    downtime: { class: 'none', services: [] },
    phases: ['prepare', 'start web'],
    phase: 1,
    releases: [],
    pending: [],
    failure: null,
    ...overrides,
  };
}
