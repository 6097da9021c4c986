/**
 * What 0.1 left on a machine, recorded from a real installation, must stay readable, and specs must keep their digests:
 * a container is kept while the digest of its template is the same, so a digest that changes would recreate them all.
 */
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readRecord } from '../../agent/dns/resolver-record.ts';
import { parseSnapshot } from '../../agent/dns/snapshot.ts';
import { readState } from '../../agent/gateway/state.ts';
import { identityOf } from '../../agent/identity.ts';
import { openJournal } from '../../agent/journal.ts';
import { problemsOf } from '../../cli/backup/check.ts';
import { unpackBackup } from '../../cli/backup/pack.ts';
import { pinServices } from '../../controller/plan/pin.ts';
import { canonicalJson } from '../../schemas/canonical.ts';
import { Deploy, NamespaceRecord } from '../../schemas/deploy.ts';
import { Installation } from '../../schemas/installation.ts';
import type { Release } from '../../schemas/release.ts';
import { ServiceSpec, specDigest, templateDigest } from '../../schemas/service.ts';
import { readProcessRecord } from '../../store/process-record.ts';
import { verifyTrustList } from '../../trust/trust-list.ts';
import { desiredOf } from '../controller/manifest/fleet.ts';

const FIXTURES = new URL('../fixtures/0.1/', import.meta.url).pathname;
const textOf = async (name: string) => await readFile(join(FIXTURES, name), 'utf8');
const jsonOf = async (name: string): Promise<unknown> => JSON.parse(await textOf(name));
const backup = async () => unpackBackup(await readFile(join(FIXTURES, 'slipway.backup')));

async function liveRelease(): Promise<Release> {
  const { log } = (await backup()).contents;
  return log.findLast((it): it is Release => it.kind === 'release' && it.namespace === 'shop') as Release;
}

it('a backup of 0.1 can be restored: its log, specs, records and keys are what this version knows', async () => {
  const found = await backup();
  expect(problemsOf(found)).toEqual([]);
  const { log, records } = found.contents;
  expect(new Set(log.map((it) => it.kind))).toEqual(new Set(['release', 'void', 'job', 'removed']));
  const buckets = new Set(records.map((it) => it.bucket));
  for (const it of ['cluster', 'deploys', 'namespaces', 'machines', 'cursors', 'intents'])
    expect(buckets).toContain(it);
});

it('a record of 0.1 that is read and written again is the same record', async () => {
  const { records } = (await backup()).contents;
  const valuesOf = (bucket: string) => records.filter((it) => it.bucket === bucket).map((it) => it.value as object);
  for (const it of valuesOf('deploys')) expect(Deploy.parse(it)).toMatchObject(it);
  for (const it of valuesOf('namespaces')) expect(NamespaceRecord.parse(it)).toMatchObject(it);
  expect([valuesOf('deploys').length, valuesOf('namespaces').length]).toEqual([3, 2]);
});

it('a spec of 0.1 keeps its digests when it is read', async () => {
  const { specs } = (await backup()).contents;
  const rows = (await liveRelease()).slots;
  expect(specs.length).toBeGreaterThan(3);
  for (const { digest, value } of specs) {
    const spec = ServiceSpec.parse(value);
    expect(canonicalJson(spec)).toBe(canonicalJson(value));
    expect(specDigest(spec)).toBe(digest);
    for (const row of rows.filter((it) => it.spec === digest)) expect(templateDigest(spec)).toBe(row.template);
  }
});

it('the manifest that 0.1 deployed still makes the same digests, so a pass after an upgrade changes nothing', async () => {
  const { services } = desiredOf((await textOf('manifest.json')).replace('"shop"', '"production"'));
  const specs = (await backup()).contents.specs.map((it) => ServiceSpec.parse(it.value));
  const images = Object.fromEntries(specs.map((it) => [it.name, it.template.image]));
  const { pinned } = pinServices(services, { images, secrets: {} });
  const digests = Object.fromEntries([...pinned].map(([name, it]) => [name, it.digest]));
  expect(digests).toEqual((await liveRelease()).services);
});

it('the journal of 0.1 is opened, with its fence, its closed deploys, its release and the specs of that', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-journal-'));
  try {
    await cp(join(FIXTURES, 'journal'), folder, { recursive: true });
    const journal = await openJournal({ folder, trace: () => {} });
    const view = journal.view('shop');
    expect(view.fence).toEqual({ generation: 1, revision: 3 });
    expect([view.tip, view.closed.length, view.open, view.swaps]).toEqual([3, 2, {}, []]);
    expect(view.live).toEqual(await liveRelease());
    for (const it of view.live?.slots ?? []) {
      const spec = journal.spec(it.spec);
      expect(spec === null ? null : [specDigest(spec), templateDigest(spec)]).toEqual([it.spec, it.template]);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

it('installation, trusted keys, processes, gateway and names of 0.1 are read', async () => {
  const installation = Installation.parse(await jsonOf('installation.json'));
  expect(installation).toEqual(await jsonOf('installation.json'));
  const trusted = verifyTrustList(await jsonOf('trust.json'), (await textOf('root.pub')).trim(), installation.id);
  expect(trusted.keys).toHaveLength(1);
  expect(await readProcessRecord(join(FIXTURES, 'running.json'))).toEqual(await jsonOf('running.json'));
  expect(await readRecord(FIXTURES)).toEqual(await jsonOf('resolver.json'));
  expect(await readState(join(FIXTURES, 'gateway-state.json'))).toEqual(await jsonOf('gateway-state.json'));
  expect(parseSnapshot(await textOf('names.json')).caller('10.210.4.2')).toMatchObject({ namespace: 'shop' });
});

it('a container of 0.1 is recognised by its labels', () => {
  const labels = {
    'slipway.installation': '148703fa',
    'slipway.namespace': 'shop',
    'slipway.service': 'web',
    'slipway.slot': 'web.0',
    'slipway.deploy': '1m7zqcb56b9cyndm',
    'slipway.spec': 'b'.repeat(64),
    'slipway.template': 'c'.repeat(64),
  };
  expect(identityOf({ labels })).toMatchObject({ namespace: 'shop', slot: 'web.0', template: 'c'.repeat(64) });
});
