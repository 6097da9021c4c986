/** Pruning: what we pulled and nothing needs; nothing in doubt. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ImageHistory, openImageHistory } from '../../agent/image-history.ts';
import { type Journal, openJournal } from '../../agent/journal.ts';
import { withCandidates, withClosed } from '../../agent/journal-records.ts';
import type { Pressure } from '../../agent/needed-images.ts';
import { createPruner } from '../../agent/prune.ts';
import { createWantedImages, type WantedImages } from '../../agent/wanted-images.ts';
import { silentLogger } from '../../schemas/logger.ts';
import { imageText } from '../../schemas/service.ts';
import { createFaultyStore } from '../../store/memory.ts';
import { deployId, release } from '../builders/release.ts';
import { image, serviceSpec } from '../builders/service.ts';

const versions = ['a', 'b', 'c', 'd', 'e', 'f', '1'].map((seed) => serviceSpec({ template: { image: image(seed) } }));
const refs = versions.map((it) => imageText(it.template.image));

let folder = '';
let history: ImageHistory;
let journal: Journal;
let wanted: WantedImages;
let removed: string[] = [];
let used: string[] = [];
let { store } = createFaultyStore({ clock: { now: () => Date.now() }, log: silentLogger });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-prune-'));
  history = await openImageHistory({ path: join(folder, 'images.json') });
  journal = await openJournal({ folder, trace: () => {} });
  [removed, used] = [[], []];
  wanted = createWantedImages({ journal, now: () => Date.now() });
  ({ store } = createFaultyStore({ clock: { now: () => Date.now() }, log: silentLogger }));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function prune(pressure: Pressure = 'calm'): Promise<string[]> {
  const removeImage = async (ref: string) => !used.includes(ref) && removed.push(ref) > 0;
  await createPruner({
    engine: { removeImage },
    history,
    wanted,
    journal,
    log: store.log,
    specs: store.specs,
    logger: silentLogger,
  })(pressure);
  return removed;
}

it('keeps the images of the last five releases, those in use, and those that it did not pull', async () => {
  await store.specs.put(versions);
  for (const [index, spec] of versions.entries()) {
    await store.log.append(release([spec], { n: index + 1, deploy: deployId(index + 1) }));
    if (index < 6) await history.add(spec.template.image as never);
  }
  expect(await prune()).toEqual([refs[0], refs[1]]);
  expect(history.list()).toEqual(refs.slice(2, 6));
  // The journal of what was pulled survives.
  expect((await openImageHistory({ path: join(folder, 'images.json') })).list()).toEqual(refs.slice(2, 6));
});

it('keeps what a container uses, and tries again another time', async () => {
  await history.add(image('9') as never);
  used = [imageText(image('9'))];
  expect(await prune()).toEqual([]);
  used = [];
  expect(await prune()).toEqual([imageText(image('9'))]);
});

it('removes nothing while a deploy is open of which it cannot know what it pulled', async () => {
  await history.add(image('9') as never);
  await journal.change('production', 'x', (it) => withCandidates(it, deployId(1), [], 'now'));
  expect(await prune()).toEqual([]);
});

it('keeps what an open deploy has asked for, and lets the rest go', async () => {
  await history.add(image('8') as never);
  await history.add(image('9') as never);
  wanted.add('production', deployId(1), imageText(image('9')));
  await journal.change('production', 'x', (it) => withCandidates(it, deployId(1), [], 'now'));
  expect(await prune()).toEqual([imageText(image('8'))]);
  await journal.change('production', 'x', (it) => withClosed(it, deployId(1), 1));
  expect(await prune('urgent')).toEqual([imageText(image('8')), imageText(image('9'))]);
});

it('keeps with little space left only what is live and what a rollback goes back to', async () => {
  await releaseAll();
  expect(await prune('urgent')).toEqual(refs.slice(0, 5));
});

it('keeps nothing of a namespace that was removed', async () => {
  await releaseAll();
  const { planId } = release([], {});
  const gone = { namespace: 'production', n: 8, at: '2026-01-01T00:00:00Z', actor: 'a', deploy: deployId(8), planId };
  await store.log.append({ ...gone, kind: 'removed', volumes: [] });
  expect(await prune()).toEqual(refs);
});

it('removes with little space left also what a lost deploy may have pulled, but never its candidates', async () => {
  await releaseAll();
  const [, candidate = '', pulled = ''] = refs;
  const rows = release([versions[1] as never], { deploy: deployId(9) }).slots;
  await journal.keepSpecs({ [rows[0]?.spec ?? '']: versions[1] as never });
  await journal.change('production', 'x', (it) => withCandidates(it, deployId(9), rows, 'now'));
  const gone = await prune('urgent');
  expect(gone).toContain(pulled);
  expect(gone).not.toContain(candidate);
});

/** Seven releases, each with another image that was pulled here. */
async function releaseAll(): Promise<void> {
  await store.specs.put(versions);
  for (const [index, spec] of versions.entries()) {
    await store.log.append(release([spec], { n: index + 1, deploy: deployId(index + 1) }));
    await history.add(spec.template.image as never);
  }
}
