/** Slots of a release beside what machines report. */
import { expect, it } from 'vitest';
import { slotViews } from '../../controller/slots.ts';
import type { MachineSnapshot } from '../../schemas/observed.ts';
import { released } from '../builders/plan-input.ts';
import { serviceSpec } from '../builders/service.ts';
import { report } from '../routing/builders.ts';

const { release } = released([serviceSpec()]);
const [row] = release.slots;
if (row === undefined) throw new Error('no row');
const says = (...instances: MachineSnapshot['instances']) => [
  { machine: row.machine, instances } as unknown as MachineSnapshot,
];
const states = (snapshots: MachineSnapshot[]) => slotViews(release, snapshots).map((it) => it.state);

it('a slot is what its instance is reported as', () => {
  expect(states(says(report(release.namespace, row, { state: 'unready' })))).toEqual(['unready']);
});

it('an instance of another deploy does not fill the slot, unless a swap put it there', () => {
  const other = { ...row, deploy: '000000000000000z' };
  expect(states(says(report(release.namespace, other)))).toEqual(['missing']);
  expect(states(says(report(release.namespace, other, { viaSwap: true })))).toEqual(['ready']);
});

it('a slot is missing only when its machine reports; else it is unknown', () => {
  expect(states(says())).toEqual(['missing']);
  expect(states([])).toEqual(['unknown']);
  expect(slotViews(null, says())).toEqual([]);
});
