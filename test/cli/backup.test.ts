/** Backups over stores in memory: what is read, what a file holds, what is refused, and what comes back. */
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { problemsOf } from '../../cli/backup/check.ts';
import { roleOf } from '../../cli/backup/left-running.ts';
import { packBackup, unpackBackup } from '../../cli/backup/pack.ts';
import { readState } from '../../cli/backup/read-state.ts';
import { withNats } from '../../cli/backup/target.ts';
import { volumesOnMachine } from '../../cli/backup/volumes.ts';
import { writeState } from '../../cli/backup/write-state.ts';
import type { BackupContents } from '../../schemas/backup.ts';
import { NamespaceRecord } from '../../schemas/deploy.ts';
import { Installation } from '../../schemas/installation.ts';
import { silentLogger } from '../../schemas/logger.ts';
import { compareFences } from '../../schemas/step.ts';
import { systemClock } from '../../store/clock.ts';
import { raiseGeneration } from '../../store/generation.ts';
import { createMemoryStore } from '../../store/memory.ts';
import type { Store } from '../../store/port.ts';
import { generateKey } from '../../trust/keys.ts';
import { createTrustList } from '../../trust/trust-list.ts';
import { deployId, release } from '../builders/release.ts';
import { serviceSpec } from '../builders/service.ts';

const AT = '2026-01-01T00:00:00.000Z';
const installation = Installation.parse({
  id: '0123abcd',
  machine: 'm1',
  subnetIndex: 7,
  bridge: 'slip7',
  httpPort: 80,
  natsUrl: null,
  dockerSocket: '/var/run/docker.sock',
});
const origin = { slipway: '0.1.0', at: AT, exact: true };

const emptyStore = () => createMemoryStore({ clock: systemClock, log: silentLogger, installation: installation.id });

function keys(): BackupContents['keys'] {
  const [root, operator] = [generateKey(), generateKey()];
  const list = {
    installation: installation.id,
    serial: 1,
    keys: [{ name: 'operator', publicKey: operator.publicKey }],
  };
  const files = {
    'operator.pem': 'private',
    'root.pem': 'private',
    'root.pub': `${root.publicKey}\n`,
    'trust.json': JSON.stringify(createTrustList(list, root)),
  };
  return Object.entries(files).map(([path, text]) => ({
    path,
    mode: 0o600,
    base64: Buffer.from(text).toString('base64'),
  }));
}

/** The n-th version of a namespace's only service goes live, with the records that a controller writes. */
async function releaseNext(store: Store, namespace = 'production'): Promise<void> {
  const n = (await store.log.tip(namespace)) + 1;
  const spec = serviceSpec({ template: { env: { VERSION: String(n) } } });
  await store.specs.put([spec]);
  await store.log.append(release([spec], { namespace, n, deploy: deployId(n % 32) }));
  const record = { namespace, carriedOut: n.toString(16).padStart(64, '0'), failed: null, held: null };
  await store.bucket('namespaces').put([namespace], record);
}

async function filledStore(): Promise<Store> {
  const store = emptyStore();
  await store.generation();
  for (const namespace of ['production', 'production', 'staging']) await releaseNext(store, namespace);
  await store.bucket('machines').put(['m1'], { name: 'm1', labels: {}, region: null, zone: null, registeredAt: AT });
  await store.bucket('observed').put(['m1'], { not: 'in a backup' });
  const event = { at: AT, namespace: null, deploy: null, machine: null, actor: 'loop', message: 'something' };
  for (const kind of ['first', 'second']) await store.events.publish({ ...event, kind });
  return store;
}

async function contentsOf(store: Store): Promise<BackupContents> {
  const { exact: _, ...state } = await readState({ store });
  return { installation: [installation], keys: keys(), ...state };
}

const packed = async () => packBackup(await contentsOf(await filledStore()), origin).file;
const invalid = (why: string | RegExp) =>
  expect.objectContaining({ code: 'BACKUP_INVALID', message: expect.stringMatching(why) });

/** The file with its text changed, checksums and all as they were. */
const edited = (file: Buffer, from: string, to: string) => {
  const text = gunzipSync(file).toString('utf8');
  expect(text).toContain(from);
  return gzipSync(text.replace(from, to));
};

describe('what is read', () => {
  it('is everything but observations and leases, and exact when nothing changes', async () => {
    const store = await filledStore();
    await store.leases.acquire(['production'], 'somebody');
    const { exact, log, specs, records, events } = await readState({ store });
    expect(exact).toBe(true);
    expect(log.map((it) => `${it.namespace}/${it.n}`)).toEqual(['production/1', 'production/2', 'staging/1']);
    expect(specs.length).toBe(2);
    expect(new Set(records.map((it) => it.bucket))).toEqual(new Set(['cluster', 'namespaces', 'machines']));
    expect(events.map((it) => it.kind)).toEqual(['first', 'second']);
  });

  it('is read again when something changed meanwhile', async () => {
    const store = await filledStore();
    let calls = 0;
    const namespaces = async () => {
      if (++calls === 2) await releaseNext(store);
      return await store.log.namespaces();
    };
    const { exact, log } = await readState({ store: { ...store, log: { ...store.log, namespaces } } });
    expect(calls).toBeGreaterThan(3);
    expect([exact, log.length]).toEqual([true, 4]);
  });

  it('of a store that never rests holds every spec that is named, and no record of a release that is not in it', async () => {
    const store = await filledStore();
    const log = { ...store.log };
    const busy: Store = {
      ...store,
      log: {
        ...log,
        namespaces: async () => {
          await releaseNext(store);
          return await log.namespaces();
        },
      },
      bucket: (name) => {
        const bucket = store.bucket(name);
        return {
          ...bucket,
          list: async (prefix) => {
            await releaseNext(store);
            return await bucket.list(prefix);
          },
        };
      },
    };
    const state = await readState({ store: busy });
    expect(state.exact).toBe(false);
    const { exact: _, ...rest } = state;
    const contents = { installation: [installation], keys: keys(), ...rest };
    expect(problemsOf({ contents, manifest: packBackup(contents, origin).manifest })).toEqual([]);
    const record = contents.records.find((it) => it.bucket === 'namespaces' && it.key[0] === 'production');
    const { carriedOut } = NamespaceRecord.parse(record?.value);
    const tip = contents.log.filter((it) => it.namespace === 'production').length;
    expect(Number.parseInt(carriedOut ?? '', 16)).toBeLessThanOrEqual(tip);
  });
});

describe('a file', () => {
  it('gives back what was put in', async () => {
    const contents = await contentsOf(await filledStore());
    const { file, manifest } = packBackup(contents, origin);
    expect(unpackBackup(file)).toEqual({ manifest, contents });
    expect(problemsOf({ manifest, contents })).toEqual([]);
  });

  it('with one changed byte is refused, wherever it is', async () => {
    const plain = gunzipSync(await packed());
    const place = fc.record({ at: fc.nat({ max: plain.length - 1 }), by: fc.integer({ min: 1, max: 255 }) });
    const from = plain.indexOf('\n') + 1;
    fc.assert(
      fc.property(place, ({ at, by }) => {
        const changed = Buffer.from(plain);
        const i = Math.max(from, at);
        changed[i] = (changed[i] ?? 0) ^ by;
        expect(() => unpackBackup(gzipSync(changed))).toThrow(invalid('checksum'));
      }),
      { numRuns: 60 },
    );
  });

  it('that is cut, encrypted, empty, or followed by something is refused', async () => {
    const file = await packed();
    for (const it of [file.subarray(0, file.length - 9), Buffer.from('age-encryption.org/v1'), Buffer.alloc(0)])
      expect(() => unpackBackup(it)).toThrow(invalid('gzip'));
    const longer = gzipSync(Buffer.concat([gunzipSync(file), Buffer.from('more')]));
    expect(() => unpackBackup(longer)).toThrow(invalid('longer'));
    expect(() => unpackBackup(gzipSync('hello\n'))).toThrow(invalid('does not begin with the manifest'));
  });

  it('of a newer format says so', async () => {
    const newer = edited(await packed(), '"format":1', '"format":2');
    expect(() => unpackBackup(newer)).toThrow(invalid(/format 2, by Slipway 0\.1\.0/));
  });

  it('whose key files would lie elsewhere is refused', async () => {
    const contents = await contentsOf(await filledStore());
    for (const path of ['../outside', '/etc/shadow', 'a/../../b', '', 'a//b', '.']) {
      const bad = { ...contents, keys: [...contents.keys, { path, mode: 0o600, base64: '' }] };
      expect(() => unpackBackup(packBackup(bad, origin).file)).toThrow(invalid('part `keys`.*below keys'));
    }
  });
});

describe('contents that do not fit together', () => {
  const cases: Record<string, [(it: BackupContents) => BackupContents, RegExp]> = {
    'a gap in the log': [(it) => ({ ...it, log: it.log.slice(1) }), /has entry 2 where 1 belongs/],
    'a spec that the log names and that is missing': [(it) => ({ ...it, specs: it.specs.slice(1) }), /and missing/],
    'a spec under the digest of another': [
      (it) => ({ ...it, specs: it.specs.map((spec) => ({ ...spec, value: it.specs[0]?.value })) }),
      /another one than its digest/,
    ],
    'a missing key': [(it) => ({ ...it, keys: it.keys.slice(1) }), /operator\.pem is missing/],
    'a list of trusted keys by another root': [
      (it) => ({ ...it, keys: [...it.keys.slice(0, 3), ...keys().slice(3)] }),
      /not signed by the root key/,
    ],
    'a record of an unknown bucket': [
      (it) => ({ ...it, records: [{ bucket: 'constructor', key: ['x'], value: 1 }] }),
      /bucket that this version does not know/,
    ],
    'a record of another form': [
      (it) => ({ ...it, records: [{ bucket: 'deploys', key: ['open', 'x'], value: { more: 1 } }] }),
      /deploys\/open\/x is not what this version knows/,
    ],
    'no installation': [(it) => ({ ...it, installation: [] }), /exactly one installation/],
  };
  it.each(Object.entries(cases))('are refused: %s', async (_, [change, why]) => {
    const contents = change(await contentsOf(await filledStore()));
    const { manifest } = packBackup(contents, origin);
    expect(problemsOf({ manifest, contents }).join('\n')).toMatch(why);
  });
});

describe('what comes back', () => {
  it('is the same state, also when it is written twice or a first attempt was cut off', async () => {
    const contents = await contentsOf(await filledStore());
    const store = emptyStore();
    const cut = { ...contents, log: contents.log.slice(0, 1), records: [], events: contents.events.slice(0, 1) };
    await writeState({ store, contents: cut });
    await writeState({ store, contents });
    await writeState({ store, contents });
    const { exact: _, ...state } = await readState({ store });
    const { installation: _installation, keys: _keys, ...wanted } = contents;
    expect(state).toEqual(wanted);
    expect((await store.log.live('production'))?.n).toBe(2);
  });

  it('is not mixed with another history', async () => {
    const contents = await contentsOf(await filledStore());
    const store = emptyStore();
    const other = serviceSpec({ template: { env: { OTHER: '1' } } });
    await store.log.append(release([other]));
    await expect(writeState({ store, contents })).rejects.toMatchObject({ code: 'STATE_CONFLICT' });
  });

  it('has fences above every one of before, although its leases begin anew', async () => {
    const before = await filledStore();
    for (let i = 0; i < 20; i++) await (await before.leases.acquire(['production'], 'old'))?.release();
    const old = await before.leases.acquire(['production'], 'old');
    const store = emptyStore();
    await writeState({ store, contents: await contentsOf(before) });
    await raiseGeneration(store.bucket('cluster'), { installation: installation.id, atLeast: 1 });
    const now = await store.leases.acquire(['production'], 'new');
    if (old === null || now === null) throw new Error('no lease');
    expect(now.fence.revision).toBeLessThan(old.fence.revision);
    expect(compareFences(now.fence, old.fence)).toBeGreaterThan(0);
  });

  it('has a higher generation each time that the same backup is restored', async () => {
    const contents = await contentsOf(await filledStore());
    const restoredAt = async (seconds: number) => {
      const store = emptyStore();
      await writeState({ store, contents });
      return await raiseGeneration(store.bucket('cluster'), { installation: installation.id, atLeast: seconds });
    };
    expect(await restoredAt(1_700_000_001)).toBeGreaterThan(await restoredAt(1_700_000_000));
  });

  it('goes to a NATS server that is named, when it lay in one', () => {
    const external = { ...installation, natsUrl: 'nats://secret@nats.example:4222' };
    expect(() => withNats(external, undefined)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.not.stringContaining('secret') }),
    );
    expect(withNats(external, 'nats://new:4222').natsUrl).toBe('nats://new:4222');
    expect(withNats(installation, undefined).natsUrl).toBeNull();
  });
});

describe('what is left of an installation', () => {
  it('is known by how its processes were started', () => {
    const agent = ['node', '/opt/slipway/dist/agent/main.js', '--state-dir', '/var/lib/slipway'];
    expect(roleOf(agent, '/var/lib/slipway')).toBe('an agent');
    expect(roleOf(agent, '/var/lib/slipway2')).toBeNull();
    expect(roleOf(['/usr/bin/nats-server', '-c', '/s/nats/nats.conf'], '/s')).toBe('a nats-server');
    expect(roleOf(['node', '/x/agent/dns/main.js', '--dir', '/s/dns', '--listen', '10.0.0.1'], '/s')).toBe(
      'a resolver',
    );
    expect(roleOf(['node', 'dist/cli/main.js', '--state-dir', '/s', 'restore', 'f'], '/s')).toBeNull();
  });

  it('are the volumes of the machine that the last entry of each namespace lists', () => {
    const row = (volume: string, machine = 'm1') => ({ volume, machine });
    const log = [
      release([], { namespace: 'a', n: 1, volumes: [row('old')] }),
      release([], { namespace: 'a', n: 2, volumes: [row('data'), row('far', 'm2')] }),
      release([], { namespace: 'b', n: 1, volumes: [row('kept')] }),
    ];
    expect(volumesOnMachine(log, 'm1')).toEqual([
      { namespace: 'a', volume: 'data' },
      { namespace: 'b', volume: 'kept' },
    ]);
  });
});
