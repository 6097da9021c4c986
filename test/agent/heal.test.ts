/** Healing decisions, by restart policy and back-off. */
import { expect, it } from 'vitest';
import { afterAttempt, type Backoff, hasRecovered, healActions } from '../../agent/heal.ts';
import { instanceName } from '../../agent/identity.ts';
import type { Seen } from '../../agent/world.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
import { slotRows } from '../builders/release.ts';
import { type ServiceOverrides, serviceSpec } from '../builders/service.ts';

const INSTALLATION = '0a1b2c3d';

function actions(
  overrides: Partial<Seen>,
  specOverrides: ServiceOverrides<ServiceSpec> = {},
  moving = false,
  failed = 0,
) {
  const spec = serviceSpec(specOverrides);
  const [row] = slotRows(spec);
  if (row === undefined) throw new Error('no row');
  const identity = { ...row, namespace: 'production', job: false };
  const container: Seen = {
    id: 'c1',
    name: instanceName(INSTALLATION, 'production', row),
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
    identity,
    ...overrides,
  };
  return healActions({
    installation: INSTALLATION,
    desired: [{ namespace: 'production', row, moving, viaSwap: false }],
    containers: [container],
    spec: () => spec,
    health: () => null,
    failedStarts: () => failed,
    now: 1000,
  }).map((it) => it.kind);
}

it('leaves alone what runs, what the engine restarts, and what a swap moves', () => {
  expect(actions({})).toEqual([]);
  expect(actions({ state: 'restarting' })).toEqual([]);
  expect(actions({ state: 'exited', exitCode: 1 }, {}, true)).toEqual([]);
});

it('makes another container when the engine twice could not start this one', () => {
  expect(actions({ state: 'exited', exitCode: 128 }, {}, false, 1)).toEqual(['start']);
  expect(actions({ state: 'exited', exitCode: 128 }, {}, false, 2)).toEqual(['replace']);
  expect(actions({ state: 'created' }, {}, false, 2)).toEqual(['replace']);
});

it('starts what ended, by its restart policy', () => {
  const ended = (exitCode: number, restart: ServiceSpec['template']['restart']) =>
    actions({ state: 'exited', exitCode }, { template: { restart } });
  expect(ended(0, 'unless-stopped')).toEqual(['start']);
  expect(ended(0, 'always')).toEqual(['start']);
  expect(ended(0, 'on-failure')).toEqual([]);
  expect(ended(137, 'on-failure')).toEqual(['start']);
  expect(ended(137, 'no')).toEqual([]);
});

it('unpauses, renames, replaces the dead, and starts what never ran', () => {
  expect(actions({ state: 'paused' })).toEqual(['unpause']);
  expect(actions({ name: 'x' })).toEqual(['rename']);
  expect(actions({ state: 'dead' })).toEqual(['replace']);
  expect(actions({ state: 'created' }, { template: { restart: 'no' } })).toEqual(['start']);
});

it('waits 1 s, then twice as long each time, at most a minute; forgotten after a minute of health', () => {
  let backoff: Backoff | undefined;
  const waits = Array.from({ length: 8 }, () => {
    backoff = afterAttempt(backoff, 0);
    return backoff.notBefore;
  });
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  const ready = { phase: 'ready' as const, since: 0, failures: 0, lastProbe: null };
  expect(hasRecovered(ready, 59_999)).toBe(false);
  expect(hasRecovered(ready, 60_000)).toBe(true);
});
