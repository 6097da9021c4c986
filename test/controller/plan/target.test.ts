import { describe, expect, it } from 'vitest';
import { releaseFrom } from '../../../controller/plan/target.ts';
import { Release } from '../../../schemas/release.ts';
import { type ServiceSpec, specDigest } from '../../../schemas/service.ts';
import { planOf } from '../../builders/plan.ts';
import { released } from '../../builders/plan-input.ts';
import { deployId } from '../../builders/release.ts';
import { image, serviceSpec } from '../../builders/service.ts';

const slow = (version: string, hostname: string) =>
  serviceSpec({
    name: 'slow',
    placement: { replicaCount: 2 },
    strategy: { kind: 'rolling', maxSurge: { count: 1 }, maxUnavailable: { count: 0 } },
    routes: [{ kind: 'http', hostname, pathPrefix: '/', port: 8080 }],
    template: { image: image(version) },
  });
const job = serviceSpec({ name: 'job', job: true });
const gone = serviceSpec({ name: 'gone', tcpPublish: [{ port: 1, protocol: 'tcp', hostPort: 6000 }] });
const live = released([slow('a', 'old.example'), gone]);
const plan = planOf({ services: [slow('b', 'new.example'), job], released: live });

function releaseOf(commit: 'checkpoint' | 'final', more: Partial<Parameters<typeof releaseFrom>[0]> = {}): Release {
  const phase = plan.phases.find((it) => it.commit === commit);
  if (phase === undefined) throw new Error(`no ${commit}`);
  const made = releaseFrom({
    plan,
    phase,
    deploy: deployId(5),
    n: 2,
    at: '2026-01-02T00:00:00.000Z',
    actor: 'loop',
    ...more,
  });
  return Release.parse(made);
}

describe('the release of a commit phase', () => {
  it('names this deploy in every row that the plan starts, and keeps the others', () => {
    expect(releaseOf('checkpoint').slots.map((it) => `${it.slot} ${it.deploy}`)).toEqual([
      `gone.0 ${deployId()}`,
      `slow.0 ${deployId(5)}`,
      `slow.1 ${deployId()}`,
    ]);
  });

  it('is the target in the end: specs of services and jobs, routes, ports', () => {
    expect(releaseOf('final')).toMatchObject({
      final: true,
      planId: plan.id,
      services: { job: specDigest(job), slow: specDigest(slow('b', 'new.example')) },
      routes: [{ service: 'slow', route: { hostname: 'new.example' } }],
      hostPorts: [],
      lineage: { previous: 1, rollbackTo: null },
    });
  });

  it('leaves a service what it was while an old row of it stands, and a removed one until the end', () => {
    const checkpoint = releaseOf('checkpoint', { released: live.release });

    expect(checkpoint).toMatchObject({
      final: false,
      services: { gone: specDigest(gone), slow: specDigest(slow('a', 'old.example')) },
      routes: [{ service: 'slow', route: { hostname: 'old.example' } }],
      hostPorts: [{ service: 'gone', hostPort: 6000 }],
    });
    expect(Object.keys(checkpoint.services)).not.toContain('job');
  });

  it('reads what services were from their rows when the live release is not given', () => {
    expect(releaseOf('checkpoint').services).toEqual(releaseOf('checkpoint', { released: live.release }).services);
  });

  it('follows the checkpoint before it', () => {
    expect(releaseOf('final', { n: 3, previous: 2 }).lineage.previous).toBe(2);
  });

  it('says what it was forked and promoted from, and leaves both out otherwise', () => {
    const [phase] = plan.phases.filter((it) => it.commit === 'final');
    const forkedFrom = { namespace: 'staging', n: 41 };
    const promotedFrom = { namespace: 'pr-7', n: 3 };

    expect(
      releaseOf('final', { plan: { ...plan, forkedFrom, promotedFrom }, ...(phase && { phase }) }).lineage,
    ).toEqual({ previous: 1, rollbackTo: null, forkedFrom, promotedFrom });
    expect(Object.keys(releaseOf('final').lineage)).toEqual(['previous', 'rollbackTo']);
  });

  it('stays a fork when something else is deployed there, and is promoted only once', () => {
    const forkedFrom = { namespace: 'staging', n: 41 };
    const lineage = { ...live.release.lineage, forkedFrom, promotedFrom: forkedFrom };
    const next = planOf({ services: [job], released: { ...live, release: { ...live.release, lineage } } });

    expect(next.forkedFrom).toEqual(forkedFrom);
    expect(next.promotedFrom).toBeUndefined();
  });

  it('gives the next plan what it needs to show the whole difference', () => {
    const release = releaseOf('checkpoint', { released: live.release });
    const specs = new Map<string, ServiceSpec>([
      ...live.specs,
      ...plan.services.map((it) => [specDigest(it), it] as const),
    ]);
    const again = planOf({ services: [slow('b', 'new.example')], released: { release, specs } });

    expect(again.changes).toMatchObject([
      { kind: 'remove' },
      { kind: 'update', fields: [{ path: 'image digest' }, { path: 'routes' }] },
    ]);
    expect(again.phases.flatMap((it) => it.steps).map((it) => it.id)).toEqual([
      expect.stringMatching(/pull/),
      '1/start/slow.1',
    ]);
  });
});
