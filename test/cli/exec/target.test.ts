/** Which instance a person means. */
import { expect, it } from 'vitest';
import { chooseInstance, parseTarget } from '../../../cli/exec/target.ts';
import type { SlotView } from '../../../controller/slots.ts';

function view(slot: string, state: SlotView['state']): SlotView {
  const report = state === 'missing' || state === 'unknown' ? null : ({ slot, state, machine: 'm1' } as never);
  return { slot, service: slot.slice(0, -2), machine: 'm1', state, report };
}
const choose = (target: string, views: SlotView[]) => chooseInstance(parseTarget(target), views).slot;

it('reads NAMESPACE/SERVICE and NAMESPACE/SERVICE.INDEX, and nothing else', () => {
  expect(parseTarget('production/web')).toEqual({ namespace: 'production', service: 'web', slot: null });
  expect(parseTarget('production/web.12')).toMatchObject({ service: 'web', slot: 'web.12' });
  for (const it of ['', 'production', 'production/', '/web', 'a/b/c', 'a/web.x', 'a/web.'])
    expect(() => parseTarget(it)).toThrow(/NAMESPACE\/SERVICE/);
});

it('takes the first slot that is ready', () => {
  expect(choose('p/web', [view('web.0', 'starting'), view('web.1', 'ready'), view('web.2', 'ready')])).toBe('web.1');
});

it('takes the slot that was named, also while it is not ready', () => {
  expect(choose('p/web.0', [view('web.0', 'unready'), view('web.1', 'ready')])).toBe('web.0');
});

it('says what there is when there is nothing to take', () => {
  const views = [view('web.0', 'starting'), view('db.0', 'exited')];
  expect(() => choose('p/api', views)).toThrow('p has no service api that runs; it has web, db');
  expect(() => choose('p/web.4', views)).toThrow('p/web.4 is not a slot; there are web.0');
  expect(() => choose('p/web', views)).toThrow('name the slot to run in it anyway: p/web.0');
  expect(() => choose('p/db', views)).toThrow('`slipway why p/db` says why');
});

it('never takes a machine that is silent for one that has nothing', () => {
  expect(() => choose('p/web', [view('web.0', 'unknown')])).toThrow(
    expect.objectContaining({ code: 'MACHINE_UNREACHABLE' }),
  );
});
