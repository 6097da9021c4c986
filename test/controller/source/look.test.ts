import { beforeEach, expect, it } from 'vitest';
import type { Repository } from '../../../controller/git/repository.ts';
import { unavailable } from '../../../controller/git/unavailable.ts';
import { createLooker, type Looker } from '../../../controller/source/look.ts';
import { PACES } from '../../../controller/source/pace.ts';
import { identityOf } from '../../../controller/source/state.ts';
import { SlipwayError } from '../../../schemas/errors.ts';
import { silentLogger } from '../../../schemas/logger.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const signal = new AbortController().signal;

let tip: string | Error;
let blob: Uint8Array | Error;
let saved: string | null;
let loadFails: Error | null;
let contained: boolean;
let nowMs: number;
let blobReads: number;
let allowRewind: () => boolean;

beforeEach(() => {
  tip = A;
  blob = Buffer.from('x');
  saved = null;
  loadFails = null;
  contained = true;
  nowMs = Date.parse('2026-01-01T00:00:00Z');
  blobReads = 0;
  allowRewind = () => false;
});

function looker(): Looker {
  const repository: Repository = {
    kind: 'local',
    name: 'fleet',
    branch: 'main',
    watchPaths: async () => [],
    tip: async () => orThrow(tip),
    find: async (_, path) => (path === 'namespaces' ? { path, kind: 'folder', oid: '1' } : null),
    list: async () => ({ entries: [{ path: 'a.toml', kind: 'file', oid: '2' }], exceeded: null }),
    readBlob: async () => {
      blobReads++;
      return orThrow(blob);
    },
    contains: async () => contained,
    commitInfo: async () => ({
      tree: '',
      parents: [],
      author: 'A',
      authorEmail: 'a@x',
      subject: 's',
      committedSeconds: 0,
    }),
  };
  return createLooker({
    repository,
    cursor: {
      load: async () => {
        if (loadFails !== null) throw loadFails;
        return saved;
      },
      save: async (revision) => void (saved = revision),
    },
    pace: PACES.local,
    now: () => nowMs,
    log: silentLogger,
    manifestsFolder: () => 'namespaces',
    allowRewind: () => allowRewind(),
  });
}

it('reads a revision once, and again only when the branch moved', async () => {
  const it = looker();
  const first = await it.look(signal, false);
  expect(first).toMatchObject({ kind: 'ok', revision: A });
  expect(await it.look(signal, false)).toBe(first);
  expect(blobReads).toBe(1);
  tip = B;
  expect(await it.look(signal, false)).toMatchObject({ kind: 'ok', revision: B });
});

it('is unavailable since the first failure, and what it was before once that is over', async () => {
  const it = looker();
  const ok = await it.look(signal, false);
  tip = unavailable('gone');
  const since = new Date(nowMs).toISOString();
  const first = await it.look(signal, false);
  expect(first).toEqual({ kind: 'unavailable', code: 'SOURCE_UNAVAILABLE', why: 'gone', since });
  nowMs += 5_000;
  expect(await it.look(signal, false)).toEqual(first);
  expect(it.failures()).toBe(2);
  tip = A;
  expect(await it.look(signal, false)).toBe(ok);
  expect(it.failures()).toBe(0);
  expect(identityOf(first)).not.toBe(identityOf(ok));
});

it('waits before it reads an unreadable revision again, unless asked or the branch moves', async () => {
  const it = looker();
  blob = unavailable('damaged');
  expect(await it.look(signal, false)).toMatchObject({ kind: 'unavailable', why: 'damaged' });
  await it.look(signal, false);
  expect(blobReads).toBe(1);
  await it.look(signal, true);
  expect(blobReads).toBe(2);
  nowMs += 10_000;
  await it.look(signal, false);
  expect(blobReads).toBe(3);
  blob = Buffer.from('y');
  tip = B;
  expect(await it.look(signal, false)).toMatchObject({ kind: 'ok', revision: B });
});

it('believes nothing while it is not known what was seen last', async () => {
  const it = looker();
  loadFails = new SlipwayError('STATE_UNAVAILABLE', 'no store');
  expect(await it.look(signal, false)).toMatchObject({ kind: 'unavailable', code: 'STATE_UNAVAILABLE' });
  loadFails = null;
  expect(await it.look(signal, true)).toMatchObject({ kind: 'ok' });
});

it('is rewound when the branch does not contain what was passed on, and stays so', async () => {
  const it = looker();
  await it.look(signal, false);
  await it.passedOn(A);
  expect(saved).toBe(A);
  tip = B;
  contained = false;
  const state = await it.look(signal, false);
  expect(state).toMatchObject({ kind: 'rewound', revision: B, lastSeen: A });
  expect(await it.look(signal, false)).toBe(state);
});

it('is rewound after a restart too, unless settings allow it; a predicate that throws does not', async () => {
  saved = A;
  tip = B;
  contained = false;
  expect(await looker().look(signal, false)).toMatchObject({ kind: 'rewound' });
  allowRewind = () => {
    throw new Error('poison');
  };
  expect(await looker().look(signal, false)).toMatchObject({ kind: 'rewound' });
  allowRewind = () => true;
  expect(await looker().look(signal, false)).toMatchObject({ kind: 'ok', revision: B });
});

it('shows nothing of an unforeseen error', async () => {
  tip = new TypeError('canary');
  expect(JSON.stringify(await looker().look(signal, false))).not.toContain('canary');
});

function orThrow<T>(value: T | Error): T {
  if (value instanceof Error) throw value;
  return value;
}
