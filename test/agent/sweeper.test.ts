/** Orphans: only what nothing names, only when the log was read, never in doubt. */
import { expect, it } from 'vitest';
import { type NamespaceView, NO_OPERATIONS } from '../../agent/journal-records.ts';
import { orphans } from '../../agent/sweeper.ts';
import type { Seen } from '../../agent/world.ts';
import { type ServiceSpec, specDigest, templateDigest } from '../../schemas/service.ts';
import { deployId, release, slotRows } from '../builders/release.ts';
import { serviceSpec } from '../builders/service.ts';

const web = serviceSpec();
const job = serviceSpec({ name: 'migrate', job: true });
const specs = new Map([web, job].map((it) => [specDigest(it), it]));

function seen(spec: ServiceSpec, deploy: string, overrides: Partial<Seen> = {}): Seen {
  const slot = spec.job ? `${spec.name}.job` : `${spec.name}.0`;
  return {
    id: `${slot}/${deploy}`,
    name: '',
    labels: {},
    state: 'running',
    imageId: '',
    createdAt: 0,
    startedAt: 0,
    finishedAt: null,
    exitCode: null,
    lastExitCode: null,
    oomKilled: false,
    restartCount: 0,
    hostNetwork: false,
    addresses: {},
    identity: {
      namespace: 'production',
      service: spec.name,
      slot,
      deploy,
      spec: specDigest(spec),
      template: templateDigest(spec),
      job: spec.job,
    },
    ...overrides,
  };
}

function view(overrides: Partial<NamespaceView> = {}): NamespaceView {
  return { namespace: 'production', ...NO_OPERATIONS, tip: 3, live: release([web, job], { n: 3 }), ...overrides };
}

function swept(containers: Seen[], from = view(), sure = true) {
  const found = orphans({
    views: [from],
    machine: 'm1',
    containers,
    spec: (digest) => specs.get(digest) ?? null,
    sure: () => sure,
  });
  return found.map((it) => it.container.id);
}

const released = seen(web, deployId());
const stray = seen(web, deployId(7));

it('finds what no release names, and not what one does', () => {
  expect(swept([released, stray])).toEqual([stray.id]);
});

it('finds nothing while the log was not read, or never had an entry, or a deploy is open', () => {
  expect(swept([stray], view(), false)).toEqual([]);
  expect(swept([stray], view({ tip: 0, live: null }))).toEqual([]);
  const open = { [deployId(9)]: { openedAt: '', candidates: [] } };
  expect(swept([stray], view({ open }))).toEqual([]);
});

it('takes everything of a namespace that was removed', () => {
  expect(swept([released, stray], view({ live: null }))).toEqual([released.id, stray.id]);
});

it('leaves what a pending swap stopped or started', () => {
  const [row] = slotRows(web, { deploy: deployId(7) });
  if (row === undefined) throw new Error('no row');
  const swap = {
    deploy: deployId(7),
    id: 's',
    state: 'done' as const,
    stops: slotRows(web),
    starts: [row],
    deadlineAt: 0,
    failure: null,
  };
  expect(swept([released, stray], view({ swaps: [swap] }))).toEqual([]);
});

it('leaves running jobs and the ended job of the live release, and takes other ended ones', () => {
  const other = serviceSpec({ name: 'migrate', job: true, template: { env: { A: '1' } } });
  const ended = (spec: ServiceSpec) => seen(spec, deployId(4), { state: 'exited', exitCode: 0 });
  expect(swept([released, ended(job)])).toEqual([]);
  expect(swept([released, seen(other, deployId(4))])).toEqual([]);
  expect(swept([released, ended(other)])).toEqual([ended(other).id]);
});

it('takes the second of two containers that claim to be the same instance', () => {
  const copy = { ...released, id: 'copy', createdAt: 5 };
  expect(swept([copy, released])).toEqual(['copy']);
});

it('gives what a blue-green service replaced its hold on top', () => {
  const green = serviceSpec({ strategy: { kind: 'blue-green', holdMs: 600_000 } });
  const found = orphans({
    views: [view({ live: release([green], { n: 3 }) })],
    machine: 'm1',
    containers: [seen(green, deployId()), stray],
    spec: () => green,
    sure: () => true,
  });
  expect(found).toEqual([{ container: stray, graceMs: 660_000 }]);
});
