/** What goes after a release: everything that it replaced, but what a blue-green service holds back. */
import { expect, it } from 'vitest';
import { NO_OPERATIONS } from '../../agent/journal-records.ts';
import { replaced } from '../../agent/retire.ts';
import type { Seen } from '../../agent/world.ts';
import { type ServiceSpec, specDigest, templateDigest } from '../../schemas/service.ts';
import { deployId, release, slotRows } from '../builders/release.ts';
import { serviceSpec } from '../builders/service.ts';

const green = serviceSpec({ strategy: { kind: 'blue-green', holdMs: 60_000 } });

function seen(spec: ServiceSpec, deploy: number, overrides: Partial<Seen> = {}): Seen {
  return {
    id: `${spec.name}.0 of ${deploy}`,
    name: '',
    labels: {},
    state: 'running',
    imageId: '',
    createdAt: deploy,
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
      slot: `${spec.name}.0`,
      deploy: deployId(deploy),
      spec: specDigest(spec),
      template: templateDigest(spec),
      job: false,
    },
    ...overrides,
  };
}

function gone(containers: readonly Seen[], live: ServiceSpec | null) {
  const view = {
    namespace: 'production',
    ...NO_OPERATIONS,
    tip: 3,
    live: live === null ? null : release([live], { n: 3, slots: slotRows(live, { deploy: deployId(9) }) }),
  };
  return replaced({ view, machine: 'm1', containers, spec: () => live }).map((it) => it.id);
}

it('takes what a rolling service or a hold of nothing replaced', () => {
  const web = serviceSpec();
  const instant = serviceSpec({ strategy: { kind: 'blue-green', holdMs: 0 } });
  expect(gone([seen(web, 8), seen(web, 9)], web)).toEqual(['web.0 of 8']);
  expect(gone([seen(instant, 8), seen(instant, 9)], instant)).toEqual(['web.0 of 8']);
});

it('holds back what was replaced last, and takes what is older', () => {
  expect(gone([seen(green, 9), seen(green, 8), seen(green, 7)], green)).toEqual(['web.0 of 7']);
});

it('holds nothing back that does not run, or whose slot or service is gone', () => {
  expect(gone([seen(green, 8, { state: 'exited' }), seen(green, 9)], green)).toEqual(['web.0 of 8']);
  const { identity } = seen(green, 8);
  const second = seen(green, 8, { identity: { ...identity, slot: 'web.1' } });
  expect(gone([second, seen(green, 9)], green)).toEqual([second.id]);
  expect(gone([seen(green, 8)], null)).toEqual(['web.0 of 8']);
});
