import { describe, expect, it } from 'vitest';
import { decidePreview, type PreviewFacts } from '../../../controller/previews/decide.ts';
import type { PreviewWish } from '../../../controller/previews/port.ts';
import type { PreviewRecord } from '../../../schemas/preview.ts';
import { desiredService } from '../../builders/service.ts';
import { fleetOf, HEAD, PUSHED_AT, previewSettings, pullOf, wishOf } from './wishes.ts';

const HOUR_MS = 3_600_000;
const record = (over: Partial<PreviewRecord> = {}): PreviewRecord => ({
  namespace: 'pr-7',
  pull: 7,
  source: 'staging',
  forkedFrom: { namespace: 'staging', n: 1 },
  head: HEAD,
  revision: HEAD,
  desiredDigest: 'd'.repeat(64),
  state: 'wanted',
  why: '',
  startedAt: PUSHED_AT,
  expiresAt: PUSHED_AT,
  endedAt: null,
  before: null,
  hostnames: [],
  proof: '',
  ...over,
});

function decide(wish: Partial<PreviewWish> = {}, facts: Partial<PreviewFacts> = {}) {
  const nowMs = Date.parse(PUSHED_AT) + HOUR_MS;
  return decidePreview(wishOf(wish), { own: null, others: [], taken: false, sourceIsLive: true, nowMs, ...facts });
}
const foreign = pullOf({ head: { branch: 'change', revision: HEAD, repositoryId: 2 } });
const headless = pullOf({ head: { branch: 'change', revision: HEAD, repositoryId: null } });

describe('a preview', () => {
  it('is made for an open pull request, named by its number, and lives as long as the settings say', () => {
    const expiresAtMs = Date.parse(PUSHED_AT) + 48 * HOUR_MS;
    expect(decide()).toEqual({ act: 'make', namespace: 'pr-7', expiresAtMs });
    expect(decide({ pull: pullOf({ draft: true }) }).act).toBe('make');
  });

  it('of another repository is made for exactly the head that somebody allowed', () => {
    for (const pull of [foreign, headless]) {
      expect(decide({ pull })).toMatchObject({
        act: 'refuse',
        why: expect.stringContaining('another repository'),
      });
      expect(decide({ pull, allowedHead: 'c'.repeat(40) }).act).toBe('refuse');
      expect(decide({ pull, allowedHead: HEAD }).act).toBe('make');
      // What runs is the head that was allowed before; the new one changes nothing of it.
      expect(decide({ pull, allowedHead: 'c'.repeat(40) }, { own: record() }).act).toBe('stay');
    }
  });

  it.each<[string, Partial<PreviewWish>, string | null]>([
    ['closed', { pull: pullOf({ state: 'closed' }) }, null],
    ['merged', { pull: pullOf({ state: 'merged' }) }, null],
    ['without its label', { settings: previewSettings('label = "preview"\n') }, null],
    ['stopped', { stopped: true }, 'destroyed on request'],
    ['too old', { pushedAt: '2025-12-29T00:00:00.000Z' }, 'its time is over'],
  ])('goes when it is %s', (_, wish, said) => {
    expect(decide(wish, { own: record() }).act).toBe('remove');
    const refused = { act: 'refuse', why: expect.stringContaining(said ?? '') };
    expect(decide(wish)).toMatchObject(said === null ? { act: 'none' } : refused);
  });

  it('has its label', () => {
    const settings = previewSettings('label = "preview"\n');
    expect(decide({ settings, pull: pullOf({ labels: ['preview'] }) }).act).toBe('make');
  });

  it.each<[string, Partial<PreviewWish>, Partial<PreviewFacts>]>([
    ['cannot be told now', { fleet: null }, {}],
    ['have problems', { fleet: fleetOf([], { desired: [], invalid: new Set(['staging']) }) }, {}],
    ['no namespace staging to fork from', { fleet: fleetOf([], { desired: [] }) }, {}],
    ['not live yet', {}, { sourceIsLive: false }],
  ])('stays as it is while its source %s', (why, wish, facts) => {
    expect(decide(wish, facts)).toMatchObject({ act: 'refuse', why: expect.stringContaining(why) });
    expect(decide(wish, { ...facts, own: record() }).act).toBe('stay');
  });

  it('is refused beyond the cap, and one that is there keeps its place', () => {
    const settings = previewSettings('max = 1\n');
    const others = [record({ pull: 3, namespace: 'pr-3' })];
    expect(decide({ settings }, { others })).toMatchObject({ act: 'refuse', why: expect.stringContaining('#3') });
    expect(decide({ settings }, { others, own: record() }).act).toBe('make');
    expect(decide({ settings: previewSettings('max = 0\n') }).act).toBe('refuse');
  });

  it('never takes a namespace that is there already, nor a name that cannot be one', () => {
    expect(decide({}, { taken: true })).toMatchObject({ act: 'refuse', why: 'there is a namespace pr-7 already' });
    const desired = [...fleetOf([desiredService()]).desired, { namespace: 'pr-7', services: [], volumes: [] }];
    expect(decide({ fleet: fleetOf([], { desired }) }).act).toBe('refuse');
    for (const name of ['PR {number}', '-{number}', `${'x'.repeat(80)}{number}`])
      expect(decide({ settings: previewSettings(`name = "${name}"\n`) })).toMatchObject({ act: 'refuse' });
  });
});
