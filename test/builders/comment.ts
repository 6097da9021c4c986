/** Builders for comments on pull requests: a first deploy that may be merged, unless overridden. */
import type { CommentModel, PreviewView } from '../../controller/comment/model.ts';
import type { Deploy } from '../../schemas/deploy.ts';
import type { Plan } from '../../schemas/plan.ts';
import { planOf } from './plan.ts';
import { deployId } from './release.ts';
import { serviceSpec } from './service.ts';

export const HEAD = '1a2b3c4d'.repeat(5);
export const BASE = '5e6f7a8b'.repeat(5);
const MERGED = '9c0d1e2f'.repeat(5);

/** A comment on pull request 7 of production. */
export function commentModel(overrides: Partial<CommentModel> = {}): CommentModel {
  return {
    installation: '0a1b2c3d',
    namespace: 'production',
    pull: 7,
    head: HEAD,
    base: BASE,
    baseBranch: 'main',
    outcome: { kind: 'planned', plan: planOf({ services: [serviceSpec()] }) },
    problems: [],
    live: null,
    missing: [],
    given: [],
    obstacles: [],
    preview: null,
    merged: null,
    closed: false,
    history: [],
    command: null,
    notes: [],
    webUrl: 'https://github.example/acme/fleet',
    showEnv: false,
    ...overrides,
  };
}

/** What the comment says of a plan that was made. */
export function planned(plan: Plan): Pick<CommentModel, 'outcome' | 'live'> {
  const n = plan.basis.release;
  return {
    outcome: { kind: 'planned', plan },
    live: n === null ? null : { n, at: '2026-01-02T03:04:05.678Z', revision: BASE },
  };
}

/** A preview that runs. */
export function previewView(overrides: Partial<PreviewView> = {}): PreviewView {
  return {
    namespace: 'pr-7',
    state: 'running',
    urls: [{ service: 'web', url: 'https://web-pr-7.preview.acme.example' }],
    message: '',
    forkedFrom: 'staging@41',
    release: 2,
    expiresAt: '2026-01-05T12:00:00.000Z',
    ...overrides,
  };
}

/** Merged, with a deploy of the plan under way in its second phase. */
export function mergedBy(plan: Plan, overrides: Partial<Deploy> = {}): NonNullable<CommentModel['merged']> {
  const count = (kind: string) => plan.changes.filter((it) => it.kind === kind).length;
  return {
    revision: MERGED,
    note: '',
    deploy: {
      id: deployId(9),
      namespace: plan.namespace,
      kind: plan.kind,
      actor: 'loop',
      startedAt: '2026-01-03T10:00:00.000Z',
      endedAt: null,
      state: 'applying',
      planId: plan.id,
      tip: plan.basis.tip,
      managedBy: plan.managedBy,
      source: { revision: MERGED, desiredDigest: plan.basis.desiredDigest },
      rollbackTo: null,
      machines: ['m1'],
      counts: {
        create: count('create'),
        update: count('update'),
        remove: count('remove'),
        unchanged: count('unchanged'),
      },
      downtime: plan.downtime,
      phases: plan.phases.map((it) => it.title),
      phase: 1,
      releases: [],
      pending: [],
      failure: null,
      ...overrides,
    },
  };
}
