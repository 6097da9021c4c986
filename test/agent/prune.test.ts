/** Pruning: what we pulled and nothing needs; nothing in doubt. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ImageHistory, openImageHistory } from '../../agent/image-history.ts';
import { type Journal, openJournal } from '../../agent/journal.ts';
import { withCandidates } from '../../agent/journal-records.ts';
import { createPruner } from '../../agent/prune.ts';
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
let removed: string[] = [];
let used: string[] = [];
const { store } = createFaultyStore({ clock: { now: () => Date.now() }, log: silentLogger });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-prune-'));
  history = await openImageHistory({ path: join(folder, 'images.json') });
  journal = await openJournal({ folder, trace: () => {} });
  [removed, used] = [[], []];
});
afterEach(() => rmSync(folder, { recursive: true }));

async function prune(): Promise<string[]> {
  const removeImage = async (ref: string) => !used.includes(ref) && removed.push(ref) > 0;
  await createPruner({
    engine: { removeImage },
    history,
    journal,
    log: store.log,
    specs: store.specs,
    logger: silentLogger,
  })();
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

it('removes nothing while a deploy is open', async () => {
  await history.add(image('9') as never);
  await journal.change('production', 'x', (it) => withCandidates(it, deployId(1), [], 'now'));
  expect(await prune()).toEqual([]);
});
