/** A lost state from real git and what agents say: what comes back, what is refused, and that it can be cut off. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Rebuilt, rebuild } from '../../../controller/rebuild/rebuild.ts';
import { treeOf } from '../../../controller/record/tree.ts';
import type { Known } from '../../../schemas/known.ts';
import { ledgerRef } from '../../../schemas/ledger.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import type { LogEntry, Release } from '../../../schemas/release.ts';
import { specDigest, templateDigest } from '../../../schemas/service.ts';
import { createMemoryStore } from '../../../store/memory.ts';
import type { Store } from '../../../store/port.ts';
import { generateKey } from '../../../trust/keys.ts';
import { sshSign } from '../../../trust/ssh-signature.ts';
import { deployId, release } from '../../builders/release.ts';
import { image, serviceSpec } from '../../builders/service.ts';
import { createLedgerLab, LEDGER_INSTALLATION, type LedgerLab } from '../../lab/ledger.ts';

const REF = ledgerRef('production');
const signal = new AbortController().signal;
const v1 = serviceSpec({ template: { secrets: { password: 3 } } });
const v2 = serviceSpec({ imageName: 'registry.example/web:2', template: { image: image('b') } });
const migrate = serviceSpec({ name: 'migrate', job: true, ports: [] });
const common = (n: number) => ({ namespace: 'production', n, at: `2026-01-01T00:0${n}:00.000Z`, actor: 'loop' });
const nth = (n: number, spec = v1, overrides: Partial<Release> = {}) =>
  release([spec], {
    ...common(n),
    deploy: deployId(n),
    lineage: { previous: n === 1 ? null : n - 1, rollbackTo: null },
    ...overrides,
  });
const template = templateDigest(migrate);
const HISTORY: readonly LogEntry[] = [
  nth(1),
  { ...common(2), kind: 'void', deploy: deployId(2), reason: 'never ready' },
  { ...common(3), kind: 'job', deploy: deployId(3), service: 'migrate', template, exitCode: 0 },
  nth(4, v2, { lineage: { previous: 1, rollbackTo: null } }),
  nth(5, v1, { lineage: { previous: 4, rollbackTo: 1 } }),
  nth(6, v2, { lineage: { previous: 5, rollbackTo: null, promotedFrom: { namespace: 'pr-7', n: 1 } } }),
];
const FORK = nth(1, v2, {
  namespace: 'pr-7',
  managedBy: 'preview',
  lineage: { previous: null, rollbackTo: null, forkedFrom: { namespace: 'production', n: 5 } },
});
const UNPUSHED = nth(7, v2, {
  lineage: { previous: 6, rollbackTo: null },
  source: { revision: null, desiredDigest: '7'.repeat(64) },
});

let lab: LedgerLab;
let pushed: string;
const lost: Store[] = [];
beforeAll(async () => {
  lab = await createLedgerLab();
  await lab.store.specs.put([v1, v2]);
  for (const it of [...HISTORY, FORK]) await lab.append(it);
  const ledger = lab.start();
  pushed = await lab.pushed('production', 6);
  await lab.pushed('pr-7', 1);
  await ledger.stop();
});
afterEach(async () => {
  lab.server.fault = 'none';
  await lab.git(['update-ref', REF, pushed]);
  await lab.git(['update-ref', '-d', ledgerRef('copy')]);
});
afterAll(async () => {
  for (const it of lost) await it.close();
  await lab.close();
});

const known: Known = {
  machine: 'm1',
  namespaces: [
    { namespace: 'production', tip: 7, fence: { generation: 4_000_000_000, revision: 7 }, open: [], live: UNPUSHED },
  ],
  specs: { [specDigest(v2)]: v2 },
};

/** An empty store; `failAt`: the append of that number is the last thing that somebody lived to see. */
function emptyStore(failAt = 0): Store {
  const clock = { now: () => Date.now() };
  const store = createMemoryStore({ clock, log: silentLogger, installation: LEDGER_INSTALLATION });
  lost.push(store);
  if (failAt === 0) return store;
  const append: Store['log']['append'] = async (entry) => {
    if (entry.n === failAt) throw new Error('killed');
    return await store.log.append(entry);
  };
  return { ...store, log: { ...store.log, append } };
}

async function rebuildInto(store: Store, told: readonly Known[] = [known], mirror = 'new'): Promise<Rebuilt> {
  const repository = lab.repository(mirror);
  return await rebuild(
    {
      store,
      repository,
      workshop: repository,
      trusted: new Map([[lab.key.keyId, lab.key.publicKey]]),
      tracked: { location: lab.server.url('fleet.git'), branch: 'main' },
      installation: LEDGER_INSTALLATION,
      actor: 'cli/ops',
      known: told,
      at: new Date().toISOString(),
      note: () => {},
    },
    signal,
  );
}

describe('a rebuilt state', () => {
  it('has the same entries under the same numbers, frozen, fenced above every agent, with cursors at now', async () => {
    const store = emptyStore();
    const rebuilt = await rebuildInto(store);
    expect(await store.log.entries('production')).toEqual([...HISTORY, UNPUSHED]);
    expect(await store.log.entries('pr-7')).toEqual([FORK]);
    expect(await store.specs.get(specDigest(v1))).toEqual(v1);
    expect(rebuilt.namespaces.at(-1)).toMatchObject({ live: { n: 7, from: 'machine m1' }, lost: [] });
    expect(await store.generation()).toBe(4_000_000_001);
    expect((await store.bucket('freezes').list()).map((it) => it.value)).toEqual([
      expect.objectContaining({ scope: '*', until: null, by: 'cli/ops' }),
    ]);
    const { name } = lab.repository();
    expect((await store.bucket('cursors').get(['source', name, 'main']))?.value).toEqual({
      revision: await lab.work.head(),
    });
    expect((await store.bucket('cluster').get(['tracked']))?.value).toEqual({
      location: lab.server.url('fleet.git'),
      branch: 'main',
    });
    expect(await store.bucket('cluster').get(['rebuild'])).toBeNull();
    expect((await store.bucket('namespaces').get(['production']))?.value).toMatchObject({
      carriedOut: '7'.repeat(64),
      held: { by: 'cli/ops' },
    });
    expect(rebuilt.secrets).toEqual([{ namespace: 'production', name: 'password', version: 3 }]);
    expect((await store.bucket('secrets').get(['production', 'password']))?.value).toMatchObject({ sealed: null });
    expect((await store.events.list(5)).map((it) => it.kind)).toEqual(['state.rebuilt']);
  });

  it('goes on in git where it was', async () => {
    const store = emptyStore();
    await rebuildInto(store);
    const ledger = lab.start({ store, mirror: 'new' });
    const after = await lab.pushed('production', 7);
    expect(await lab.git(['rev-parse', `${after}^`])).toBe(pushed);
    await ledger.stop();
    expect(lab.said).toEqual([]);
  });

  it('is the same when it was cut off at any entry and run again', async () => {
    for (let n = 1; n <= 7; n++) {
      const store = emptyStore(n);
      await expect(rebuildInto(store)).rejects.toThrow('killed');
      const whole = lost.at(-1) ?? store;
      expect((await whole.bucket('freezes').list()).length).toBe(1);
      await rebuildInto(whole);
      expect(await whole.log.entries('production')).toEqual([...HISTORY, UNPUSHED]);
      await expect(rebuildInto(whole)).rejects.toMatchObject({ code: 'SETUP_FAILED' });
    }
  });

  it('is refused where the state is not lost, and leaves nothing where git cannot be read', async () => {
    const used = emptyStore();
    await used.specs.put([v1]);
    await used.log.append(nth(1));
    await expect(rebuildInto(used)).rejects.toMatchObject({
      code: 'SETUP_FAILED',
      message: expect.stringContaining('its log knows production'),
    });
    const store = emptyStore();
    lab.server.fault = 'error';
    await expect(rebuildInto(store, [known], 'other')).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    expect([await store.bucket('freezes').list(), await store.bucket('cluster').get(['rebuild'])]).toEqual([[], null]);
  });
});

describe('a forged ref', () => {
  const agentBehind: Known = { ...known, namespaces: [{ ...known.namespaces[0], live: null, tip: 0 } as never] };

  /** A commit that says it is release 7, and has the tree of one. */
  async function forge(sign: 'not' | 'stranger' | 'moved'): Promise<string> {
    const workshop = lab.repository('eve');
    const from = await workshop.fetchRef(REF, signal);
    if (from === null) throw new Error('no ref');
    const entry = nth(7, v2, { actor: 'eve' });
    const specs = new Map([[specDigest(v2), v2]]);
    const tree = await workshop.writeTree(null, treeOf({ entry, between: [], specs }));
    const stranger = generateKey();
    const raw = Buffer.from(await workshop.rawCommit(from)).toString('latin1');
    const theirs = /gpgsig ([\s\S]*?-----END SSH SIGNATURE-----)/.exec(raw)?.[1]?.replaceAll('\n ', '\n') ?? '';
    const revision = await workshop.writeCommit({
      tree,
      parents: [from],
      message: 'production #7: release\n\nSlipway-Release: production@7\nSlipway-Deploy: 0000000000000007\n',
      person: { name: 'Slipway', email: 'slipway@0123abcd.invalid', timestamp: 1_767_226_000 },
      ...(sign === 'not'
        ? {}
        : {
            sign: (payload) => (sign === 'moved' ? theirs : sshSign(payload, { ...stranger, purpose: 'git' })),
          }),
    });
    expect(await workshop.push({ ref: REF, expected: from, revision }, signal)).toBe('pushed');
    return revision;
  }

  it.each([
    ['not', 'it is not signed'],
    ['stranger', 'it is signed by a key that is not on the list'],
    ['moved', 'its signature is wrong'],
  ] as const)('(%s signed) is named, and what lies below it comes back', async (sign, why) => {
    const revision = await forge(sign);
    const store = emptyStore();
    const rebuilt = await rebuildInto(store, [agentBehind]);
    expect(rebuilt.foreign).toEqual([{ ref: REF, revision, why }]);
    expect(await store.log.entries('production')).toEqual(HISTORY);
    expect(rebuilt.namespaces.at(-1)?.live).toEqual({ n: 6, from: 'git' });
  });

  it('that leads elsewhere takes nothing with it that another ref or an agent knows', async () => {
    await lab.git(['update-ref', ledgerRef('copy'), REF]);
    await lab.git(['update-ref', REF, await lab.work.head()]);
    const store = emptyStore();
    const rebuilt = await rebuildInto(store, [agentBehind]);
    expect(rebuilt.foreign.map((it) => it.ref)).toEqual([ledgerRef('copy'), REF]);
    expect(await store.log.entries('production')).toEqual(HISTORY);
    expect(rebuilt.namespaces.map((it) => it.namespace)).toEqual(['pr-7', 'production']);
  });
});
