/**
 * What a flood of webhooks consists of: happenings at a forge, and the deliveries that tell of them, some of them twice,
 * late or forged. The same seed gives the same flood.
 */
import { ALICE, type FakeForge, REPOSITORY_ID } from '../fakes/forge.ts';

/** One delivery to send: what happened as number `index`, after everything up to `after` has happened. */
interface FloodDelivery {
  readonly index: number;
  readonly after: number;
  readonly id: string;
  readonly forged: boolean;
}

/** What GitHub would send; `comment`: the one that it tells of. */
export interface Told {
  readonly event: string;
  readonly payload: object;
  readonly comment: number | null;
}

export interface FloodPlan {
  readonly deliveries: readonly FloodDelivery[];
  /** Makes everything up to number `index` happen at the forge. */
  happen(index: number): void;
  /** What is told of number `index`, which has happened. */
  told(index: number): Told;
}

const DUPLICATES = 0.3;
const REORDERED = 0.1;
const FORGED = 0.05;
/** A late one, or a second one, comes at most so many places later. */
const LATE_BY = 50;

/** `count` deliveries about `pulls` pull requests, which are opened now. */
export function planFlood(args: { forge: FakeForge; count: number; pulls: number; seed: number }): FloodPlan {
  const { forge, count } = args;
  const random = seeded(args.seed);
  const pick = (below: number) => Math.floor(random() * below);
  for (let i = 0; i < args.pulls; i++) forge.open();
  const genuine = Math.round(count * (1 - DUPLICATES - FORGED));
  const duplicates = Math.round(count * DUPLICATES);
  const happenings = Array.from({ length: genuine }, (_, i) => ({ number: 1 + pick(args.pulls), kind: random(), i }));
  const told: Told[] = [];

  const places = [
    ...happenings.map(({ i }) => ({ at: random() < REORDERED ? i + pick(LATE_BY) : i, index: i, id: `d-${i}` })),
    // Half of them are redeliveries, half tell the same under another id.
    ...Array.from({ length: duplicates }, (_, i) => {
      const index = pick(genuine);
      return { at: index + 1 + pick(LATE_BY), index, id: random() < 0.5 ? `d-${index}` : `twin-${i}` };
    }),
  ].map((it) => ({ ...it, forged: false }));
  const forgeries = Array.from({ length: count - places.length }, (_, i) => {
    const index = pick(genuine);
    return { at: index, index, id: `forged-${i}`, forged: true };
  });
  let after = -1;
  const deliveries = [...places, ...forgeries]
    .toSorted((a, b) => a.at - b.at)
    .map(({ index, id, forged }) => {
      after = Math.max(after, index);
      return { index, id, forged, after };
    });

  return {
    deliveries,
    happen(index) {
      for (const it of happenings.slice(told.length, index + 1)) told.push(happen(forge, it));
    },
    told(index) {
      const it = told[index];
      if (it === undefined) throw new Error(`number ${index} has not happened yet`);
      return it;
    },
  };
}

/** A comment, a push to some branch, a push to the pull request, or another title. */
function happen(forge: FakeForge, { number, kind, i }: { number: number; kind: number; i: number }): Told {
  const repository = { id: REPOSITORY_ID, pushed_at: i };
  if (kind < 0.2) {
    const { id } = forge.comment(number, ALICE, '/slipway plan');
    const comment = { id, body: '/slipway plan', user: { type: 'User' } };
    const payload = { action: 'created', issue: { number, pull_request: {} }, comment, repository };
    return { event: 'issue_comment', payload, comment: id };
  }
  if (kind < 0.35) {
    const payload = { ref: `refs/heads/branch-${i}`, before: '0'.repeat(40), after: 'a'.repeat(40), repository };
    return { event: 'push', payload, comment: null };
  }
  const moved = kind < 0.75;
  const { head, updatedAt, title } = moved ? forge.push(number) : forge.edit(number, { title: `Change ${i}` });
  const about = { number, title, updated_at: updatedAt, head: { sha: head.revision, repo: null } };
  const payload = { action: moved ? 'synchronize' : 'edited', number, pull_request: about, repository };
  return { event: 'pull_request', payload, comment: null };
}

/** Numbers in [0, 1) that look random. Source: Mulberry32 by Tommy Ettinger, public domain. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
