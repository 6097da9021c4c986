/** The journal across restarts. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openJournal } from '../../agent/journal.ts';
import { withCandidates, withClosed } from '../../agent/journal-records.ts';
import { specDigest } from '../../schemas/service.ts';
import { deployId, release, slotRows } from '../builders/release.ts';
import { serviceSpec } from '../builders/service.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-journal-'));
});
afterEach(() => rm(folder, { recursive: true }));

const open = () => openJournal({ folder, trace: () => {} });
const web = serviceSpec();

it('knows everything again after a restart', async () => {
  const journal = await open();
  await journal.keepSpecs({ [specDigest(web)]: web });
  await journal.learn('production', { tip: 4, live: release([web], { n: 4 }) });
  await journal.change('production', 'x', (it) => withClosed(it, deployId(3), 1));
  await journal.raiseFence('production', { generation: 1, revision: 5 });
  const again = await open();
  expect(again.namespaces()).toEqual(['production']);
  expect(again.view('production')).toEqual(journal.view('production'));
  expect(again.view('production')).toMatchObject({ tip: 4, closed: [deployId(3)], fence: { revision: 5 } });
  expect(again.spec(specDigest(web))).toEqual(web);
});

it('gives way to the higher fence, whatever the order', async () => {
  const journal = await open();
  const raised = await Promise.all([3, 1, 2].map((revision) => journal.raiseFence('a', { generation: 1, revision })));
  expect(raised).toEqual([true, false, false]);
  expect(await journal.raiseFence('a', { generation: 1, revision: 3 })).toBe(true);
  expect(await journal.raiseFence('a', { generation: 2, revision: 1 })).toBe(true);
  expect(await journal.raiseFence('a', { generation: 1, revision: 9 })).toBe(false);
});

it('has a change on the disk before it resolves, also when many come at once', async () => {
  const journal = await open();
  const rows = slotRows(serviceSpec({ placement: { replicaCount: 30 } }));
  await Promise.all(
    rows.map(async (row) => {
      await journal.change('production', 'x', (it) => withCandidates(it, deployId(1), [row], 'now'));
      const text = await readFile(join(folder, 'namespaces/production/operations.json'), 'utf8');
      expect(text).toContain(`"${row.slot}"`);
    }),
  );
  expect((await open()).view('production').open[deployId(1)]?.candidates).toHaveLength(30);
});

it('forgets a spec only when it was unused twice, and no release or candidate names it', async () => {
  const journal = await open();
  const other = serviceSpec({ name: 'other' });
  await journal.keepSpecs({ [specDigest(web)]: web, [specDigest(other)]: other });
  await journal.forgetSpecs();
  await journal.learn('production', { tip: 1, live: release([web]) });
  await journal.forgetSpecs();
  expect(journal.spec(specDigest(web))).not.toBe(null);
  expect((await open()).spec(specDigest(other))).toBe(null);
});

it('does not begin with a journal that it cannot read', async () => {
  await (await open()).raiseFence('production', { generation: 1, revision: 5 });
  await writeFile(join(folder, 'namespaces/production/operations.json'), '{');
  await expect(open()).rejects.toThrow(/operations.json/);
});
