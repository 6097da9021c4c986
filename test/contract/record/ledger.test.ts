/** The ledger over real git: what it writes, what stock git says of it, and what it does when it cannot. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { historyOf, readAllCommits } from '../../../controller/record/read-ledger.ts';
import { ledgerRef } from '../../../schemas/ledger.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import type { LogEntry, Release } from '../../../schemas/release.ts';
import { templateDigest } from '../../../schemas/service.ts';
import { createMemoryStore } from '../../../store/memory.ts';
import { deployId, release } from '../../builders/release.ts';
import { image, serviceSpec } from '../../builders/service.ts';
import { createLedgerLab, LEDGER_INSTALLATION, type LedgerLab } from '../../lab/ledger.ts';

const REF = ledgerRef('production');
const signal = new AbortController().signal;
const v1 = serviceSpec();
const v2 = serviceSpec({ imageName: 'registry.example/web:2', template: { image: image('b') } });
const migrate = serviceSpec({ name: 'migrate', job: true, ports: [] });

let lab: LedgerLab;
const begin = async () => {
  lab = await createLedgerLab();
};
const end = async () => await lab.close();

/** Release n by deploy n, a minute after the one before. */
function nth(n: number, spec = v1, overrides: Partial<Release> = {}): Release {
  const previous = n === 1 ? null : n - 1;
  return release([spec], { ...when(n), deploy: deployId(n), lineage: { previous, rollbackTo: null }, ...overrides });
}
const when = (n: number) => ({ n, at: `2026-01-01T00:${String(n).padStart(2, '0')}:00.000Z` });
const common = (n: number) => ({ namespace: 'production', ...when(n), actor: 'loop', deploy: deployId(n) });

/** Releases, a deploy whose job failed, a rollback, a fork, what was promoted from it, and the fork's end. */
async function appendHistory(): Promise<void> {
  const revision = await lab.work.head();
  const source = { revision, desiredDigest: '0'.repeat(64) };
  await lab.append(nth(1, v1, { source }), [v1]);
  const template = templateDigest(migrate);
  const job: LogEntry = { ...common(2), kind: 'job', service: 'migrate', template, exitCode: 3 };
  await lab.append(job);
  await lab.append({ ...common(3), deploy: deployId(2), kind: 'void', reason: 'the job failed' });
  await lab.append(nth(4, v2, { lineage: { previous: 1, rollbackTo: null } }), [v2]);
  await lab.append(nth(5, v1, { lineage: { previous: 4, rollbackTo: 1 } }));
  const forkedFrom = { namespace: 'production', n: 5 };
  const fork = { namespace: 'pr-7', managedBy: 'preview' } as const;
  await lab.append(
    nth(1, v2, { ...fork, ...when(6), n: 1, lineage: { previous: null, rollbackTo: null, forkedFrom } }),
  );
  await lab.append(nth(2, v2, { ...fork, ...when(7), n: 2, lineage: { previous: 1, rollbackTo: null, forkedFrom } }));
  const promotedFrom = { namespace: 'pr-7', n: 2 };
  await lab.append(nth(6, v2, { ...when(8), n: 6, lineage: { previous: 5, rollbackTo: null, promotedFrom } }));
  const gone: LogEntry = {
    ...common(9),
    n: 3,
    namespace: 'pr-7',
    kind: 'removed',
    planId: '0'.repeat(64),
    volumes: [],
  };
  await lab.append(gone);
}

describe('the history in git', () => {
  let first: { stop(): Promise<void> };
  let production: string;
  let fork: string;
  beforeAll(async () => {
    await begin();
    await appendHistory();
    first = lab.start();
    production = await lab.pushed('production', 6);
    fork = await lab.pushed('pr-7', 3);
  });
  afterAll(end);

  it('is that of the log, with forks and promotions as its graph, signed, and clean', async () => {
    const git = await lab.clone();
    const subjects = (await git(['log', '--first-parent', '--format=%s', REF])).split('\n');
    expect(subjects).toEqual([
      'production #6: release, promoted from pr-7@2',
      'production #5: release, back to #1',
      'production #4: release by hand',
      'production #2: job migrate ended with 3',
      expect.stringMatching(/^production #1: release from [0-9a-f]{10}$/),
      'First',
    ]);
    const parents = async (of: string) => (await git(['log', '-1', '--format=%P', of])).split(' ').filter((it) => it);
    const at = async (of: string) => await git(['rev-parse', of]);
    expect(await parents(`${REF}~4`)).toEqual([await lab.work.head()]);
    expect(await parents(REF)).toEqual([await at(`${REF}~1`), await at(`${fork}~1`)]);
    expect(await parents(`${fork}~2`)).toEqual([await at(`${REF}~1`)]);
    expect(await parents(`${fork}~1`)).toEqual([await at(`${fork}~2`)]);
    expect(await git(['ls-tree', '-r', '--name-only', `${REF}~2`])).toContain('log/3.json');
    const trailers = await git(['log', '-1', '--format=%(trailers:key=Slipway-Promoted-From,valueonly)', REF]);
    expect(trailers).toBe('pr-7@2');

    const shown = await git(['log', '--format=%G? %GS', '--first-parent', '-5', REF]);
    expect(new Set(shown.split('\n'))).toEqual(new Set([`G slipway@${LEDGER_INSTALLATION}.invalid`]));
    expect(await git(['fsck', '--strict', '--full'])).toBe('');
    expect(await lab.git(['fsck', '--strict', '--full'])).toBe('');
    expect(await git(['log', '--graph', '--format=%s', '-4', production])).toContain(
      'pr-7 #1: release, forked from production@5',
    );
    expect((await git(['show', '-s', '--format=%cI %an', REF])).split('\n')).toEqual([
      '2026-01-01T00:08:00+00:00 Slipway',
    ]);
  });

  it('is read back with its signatures, in order', async () => {
    const deps = { workshop: lab.repository('reader'), trusted: new Map([[lab.key.keyId, lab.key.publicKey]]) };
    const commits = await historyOf(deps, { namespace: 'production', most: 20 }, signal);
    expect(commits?.map((it) => [it.says?.entry.n, it.says?.kind, it.signedBy])).toEqual(
      [6, 5, 4, 2, 1].map((n) => [n, n === 2 ? 'job' : 'release', lab.key.keyId]),
    );
    expect(await historyOf(deps, { namespace: 'staging', most: 20 }, signal)).toBeNull();
    const all = await readAllCommits(deps, signal);
    expect(all.commits).toHaveLength(8);
    expect(all.foreign).toEqual([]);
  });

  it('is the same whoever writes it: a ref that was deleted is made again, by another, as it was', async () => {
    await first.stop();
    await lab.git(['update-ref', '-d', REF]);
    await lab.git(['update-ref', '-d', ledgerRef('pr-7')]);
    lab.start({ mirror: 'others' });
    expect([await lab.pushed('production', 6), await lab.pushed('pr-7', 3)]).toEqual([production, fork]);
  });
});

describe('two controllers that both believe they lead', () => {
  beforeEach(begin);
  afterEach(end);

  it('push each release once', async () => {
    lab.start();
    lab.start({ mirror: 'others' });
    for (let n = 1; n <= 4; n++) await lab.append(nth(n), [v1]);
    await lab.pushed('production', 4);
    expect(await lab.git(['rev-list', '--count', REF])).toBe('4');
    expect(lab.said.filter((it) => it.includes('not what Slipway wrote'))).toEqual([]);
  });
});

describe('a ref that somebody else moved', () => {
  beforeEach(begin);
  afterEach(end);

  const forge = async () => {
    const tree = await lab.git(['rev-parse', `${REF}^{tree}`]);
    const message = 'production #2: release\n\nSlipway-Release: production@2';
    const forged = await lab.git([
      '-c',
      'user.name=Eve',
      '-c',
      'user.email=e@x',
      'commit-tree',
      tree,
      '-p',
      REF,
      '-m',
      message,
    ]);
    await lab.git(['update-ref', REF, forged]);
    return forged;
  };

  it('is left as it is, said once, and others go on; put right, it goes on by itself', async () => {
    lab.start();
    await lab.append(nth(1), [v1]);
    const good = await lab.pushed('production', 1);
    const forged = await forge();
    await lab.append(nth(2));
    await lab.append(nth(3));
    await lab.append(nth(1, v1, { namespace: 'staging' }));
    await lab.pushed('staging', 1);
    await lab.append(nth(4));
    await sleep(200);
    expect(await lab.ref('production')).toBe(forged);
    const told = lab.said.filter((it) => it.includes('not what Slipway wrote'));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(`it is not signed (${forged.slice(0, 10)})`);
    expect(told[0]).toContain(`git push origin +${good}:${REF}`);
    expect((await lab.store.events.list(10)).map((it) => it.kind)).toEqual(['ledger.foreign']);

    await lab.git(['update-ref', REF, good]);
    await lab.append(nth(5));
    await lab.pushed('production', 5);
    expect(await lab.git(['rev-list', '--count', REF])).toBe('5');
  });

  it('is noticed when the controller starts, also without a release', async () => {
    const first = lab.start();
    await lab.append(nth(1), [v1]);
    await lab.pushed('production', 1);
    await first.stop();
    await forge();
    lab.start();
    await lab.saidAtLeast(1);
    expect(lab.said.join()).toContain('it is not signed');
  });

  it('to an older release of ours is brought forward again', async () => {
    const first = lab.start();
    for (let n = 1; n <= 3; n++) await lab.append(nth(n), [v1]);
    const newest = await lab.pushed('production', 3);
    await first.stop();
    await lab.git(['update-ref', REF, `${newest}~2`]);
    lab.start();
    expect(await lab.pushed('production', 3)).toBe(newest);
  });

  it('is not overwritten by an installation whose state was lost', async () => {
    const first = lab.start();
    for (let n = 1; n <= 3; n++) await lab.append(nth(n), [v1]);
    const newest = await lab.pushed('production', 3);
    await first.stop();
    const empty = createMemoryStore({
      clock: { now: () => Date.now() },
      log: silentLogger,
      installation: LEDGER_INSTALLATION,
    });
    await empty.specs.put([v2]);
    await empty.log.append(nth(1, v2));
    const second = lab.start({ store: empty });
    await lab.saidAtLeast(1);
    expect(lab.said.join()).toContain('slipway store rebuild');
    expect(await lab.ref('production')).toBe(newest);
    await second.stop();
    await empty.close();
  });
});

describe('a remote that is away', () => {
  beforeEach(begin);
  afterEach(end);

  it('is said once, and what was released meanwhile is pushed when it is back', async () => {
    lab.server.fault = 'error';
    lab.start();
    for (let n = 1; n <= 3; n++) await lab.append(nth(n), [v1]);
    await lab.saidAtLeast(1);
    await lab.append(nth(4));
    await sleep(100);
    expect(lab.said.filter((it) => it.includes('deploys go on'))).toHaveLength(1);
    lab.server.fault = 'none';
    await lab.pushed('production', 4);
    await lab.saidAtLeast(2);
    expect(lab.said.at(-1)).toContain('are written to');
    expect((await lab.store.events.list(10)).map((it) => it.kind)).toEqual(['ledger.unavailable', 'ledger.available']);
  });

  it('that takes no pushes does not stop what reads it', async () => {
    await lab.git(['config', 'http.receivepack', 'false']);
    lab.start();
    await lab.append(nth(1), [v1]);
    await lab.saidAtLeast(1);
    expect(lab.said).toHaveLength(1);
    expect(await lab.ref('production')).toBeNull();
  });
});
