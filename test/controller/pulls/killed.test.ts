/** A controller that dies anywhere on its way with a pull request, and the next one that finds what it left; in memory. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ALICE } from '../../fakes/forge.ts';
import { createDeskLab, type DeskLab, manifest } from './lab.ts';
import { beginTerm, serveAgents, type Term } from './term.ts';

/** Every point, and how the command that was written on the way ends: it is never run twice. */
const POINTS = {
  'pull:read': 'ok',
  'preview:wanted': 'ok',
  'pull:preview': 'ok',
  'comment:write': 'ok',
  'comment:written': 'ok',
  'status:write': 'ok',
  'status:written': 'ok',
  'pull:remembered': 'ok',
  'command:claimed': 'interrupted',
  'command:carried-out': 'interrupted',
  'command:ended': 'ok',
  'preview:removing': 'ok',
  'preview:tear': 'ok',
  'preview:torn': 'ok',
  'preview:removed': 'ok',
} as const;

let lab: DeskLab;
let terms: Term[];

const later = async (check: () => void | Promise<void>) => await vi.waitFor(check, { timeout: 10_000, interval: 10 });
const freezes = async () => (await lab.store.events.list(1_000)).filter((it) => it.kind === 'freeze.set').length;

const stagingIsLive = async () => expect(await lab.store.log.live('staging')).not.toBe(null);

function begin(diesAt?: string): Term {
  const term = beginTerm(lab, diesAt === undefined ? {} : { diesAt });
  terms.push(term);
  return term;
}

beforeEach(async () => {
  lab = await createDeskLab({ startsAt: new Date().toISOString() });
  terms = [];
  serveAgents(lab);
  lab.forge.permissions.set('alice', 'write');
  await lab.commit('main', {
    'slipway.toml': '[previews]\nsource = "staging"\nhost = "{service}-pr-{number}.preview.test"\n',
    'namespaces/staging.json': manifest('staging', '1'),
  });
  const first = begin();
  await later(stagingIsLive);
  await first.end();
});
afterEach(async () => {
  for (const it of terms) await it.end();
  await lab.close();
});

it.each(Object.entries(POINTS))('killed at %s, all is as if it had not been', async (point, command) => {
  const term = begin(point);
  const died = term.dead.then(() => true);
  const { number, head } = await lab.open('change', { 'namespaces/staging.json': manifest('staging', '2') });
  const asked = lab.forge.comment(number, ALICE, '/slipway freeze staging');
  const preview = `pr-${number}`;
  let survived = true;

  /** Goes on until this is so, with the next controller once the first is dead. */
  async function reach(check: () => Promise<void>): Promise<void> {
    if (survived && (await Promise.race([died, later(check).then(() => false)]))) {
      survived = false;
      begin();
    }
    await later(check);
  }
  await reach(async () => {
    expect(await lab.store.log.live(preview)).not.toBe(null);
    expect(lab.body(number, 'staging')).toContain('✅ running');
    expect((await lab.records.get(number))?.command?.command).toBe('freeze staging');
  });
  lab.forge.close(number);
  await reach(async () => expect((await lab.records.get(number))?.state).toBe('done'));

  expect(survived).toBe(false);
  expect(lab.forge.ours(number)).toHaveLength(1);
  expect(lab.body(number, 'staging')).toContain('nothing left');
  expect(await lab.store.log.live(preview)).toBe(null);
  const entries = await lab.store.log.entries(preview);
  expect(entries.filter((it) => it.kind === 'release')).toHaveLength(1);
  expect(lab.forge.environments.get(`preview/${preview}`)?.state).toBe('inactive');
  expect(lab.forge.status(head.revision, 'slipway/staging')?.state).toBe('pending');
  expect(await freezes()).toBe(point === 'command:claimed' ? 0 : 1);
  const said = (await lab.records.get(number))?.command;
  expect(said?.text.includes('interrupted')).toBe(command === 'interrupted');
  expect(lab.body(number, 'staging')).toContain(command === 'interrupted' ? 'interrupted' : 'staging is frozen');
  const last = command === 'interrupted' ? 'failed' : 'done';
  const reactions = lab.forge.reactions.get(asked.id) ?? [];
  // A reaction is nice to have: killed right before it, there is none.
  expect([last, ...(point === 'command:ended' ? ['seen'] : [])]).toContain(reactions.at(-1));
  expect(reactions.filter((it) => it !== 'seen').length).toBeLessThanOrEqual(1);
});
