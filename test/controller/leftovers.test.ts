/** Survivors of a removal: the deploy stays open for them, they are shown, and the removal is tried again. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAgents } from '../../controller/execute/agents.ts';
import { systemClock } from '../../controller/execute/clock.ts';
import { createDeploys } from '../../controller/execute/deploys.ts';
import { createExecutor } from '../../controller/execute/executor.ts';
import { readSituation, readSnapshots } from '../../controller/execute/situation.ts';
import { type Leftover, leftoversOf, leftoverText } from '../../controller/leftovers.ts';
import { buildPlan } from '../../controller/plan/build.ts';
import { silentLogger } from '../../schemas/logger.ts';
import type { InstanceReport } from '../../schemas/observed.ts';
import { imageText, type ServiceSpec, specDigest } from '../../schemas/service.ts';
import { planInput } from '../builders/plan-input.ts';
import { deployId, release, slotRows } from '../builders/release.ts';
import { serviceSpec } from '../builders/service.ts';
import { type AgentWorld, createAgentWorld } from '../fakes/agent-world.ts';

const web = (version: string) => serviceSpec({ readiness: null, template: { env: { V: version } } });

function report(spec: ServiceSpec, deploy: string, overrides: Partial<InstanceReport> = {}): InstanceReport {
  const [row] = slotRows(spec, { deploy });
  if (row === undefined) throw new Error('no slot');
  const rest = { namespace: 'production', containerId: 'c1', address: null, viaSwap: false, restarts: 0 };
  return { ...row, ...rest, state: 'ready', exitCode: null, lastProbe: null, ...overrides };
}

describe('a leftover', () => {
  const found = (spec: ServiceSpec, reports: readonly InstanceReport[], openDeploys: readonly string[] = []) =>
    leftoversOf({
      release: release([spec], { slots: slotRows(spec, { deploy: deployId(2) }) }),
      specs: new Map([[specDigest(spec), spec]]),
      open: openDeploys.map((id) => ({ id, state: 'applying' }) as never),
      reports,
    }).map((it) => [it.deploy, it.kept]);

  it('is what neither the release nor a deploy under way names', () => {
    const old = report(web('1'), deployId(1));
    expect(found(web('2'), [old, report(web('2'), deployId(2))])).toEqual([[deployId(1), false]]);
    expect(found(web('2'), [report(web('3'), deployId(3))], [deployId(3)])).toEqual([]);
    expect(found(web('2'), [report(web('3'), deployId(3), { viaSwap: true })])).toEqual([]);
    expect(found(web('2'), [report(web('1'), deployId(1), { state: 'draining' })])).toEqual([]);
  });

  it('is kept on purpose where a blue-green service holds what it replaced', () => {
    const green = serviceSpec({ strategy: { kind: 'blue-green', holdMs: 60_000 } });
    expect(found(green, [report(green, deployId(1))])).toEqual([[deployId(1), true]]);
    expect(found(green, [report(green, deployId(1), { state: 'exited' })])).toEqual([[deployId(1), false]]);
  });
});

describe('a container that Docker does not remove', () => {
  let world: AgentWorld;
  beforeEach(async () => {
    world = createAgentWorld();
    world.offer(web('1'));
    await world.boot();
    for (let i = 0; i < 500 && (await readSnapshots(world.store)).length === 0; i++) await systemClock.sleep(10);
  });
  afterEach(async () => await world.remove());

  it('keeps its deploy open and is shown, until it can be removed', async () => {
    const { store, engine } = world;
    const deploys = createDeploys({ bucket: store.bucket('deploys') });
    const executor = createExecutor({
      store,
      deploys,
      agents: createAgents({
        messages: store.messages,
        sign: (step) => ({ body: JSON.stringify(step), keyId: '', signature: '' }),
        clock: systemClock,
      }),
      secrets: { sealFor: async (_, { name, version }) => ({ name, version, encapsulated: '', sealed: '' }) },
      clock: systemClock,
      log: silentLogger,
      installation: '0a1b2c3d',
      machine: 'm1',
      trace: () => {},
    });
    const never = new AbortController().signal;
    const deploy = async (spec: ServiceSpec) => {
      const { snapshots: _, ...known } = await readSituation(store, 'production');
      const made = buildPlan(planInput({ services: [spec], ...known }));
      if (!made.ok) throw new Error(JSON.stringify(made.failures));
      return await executor.execute({ plan: made.plan, actor: 'test', signal: never });
    };
    const leftovers = async (): Promise<Leftover[]> => {
      const reports = (await readSnapshots(store)).flatMap((it) => it.instances);
      const open = await deploys.listOpen('production');
      return leftoversOf({ release: await store.log.live('production'), specs: new Map(), open, reports });
    };

    const first = await deploy(web('1'));
    expect(first.state).toBe('done');
    engine.programs.set(imageText(web('1').template.image), { refusesToGo: 'device or resource busy' });
    const second = await deploy(web('2'));
    expect(second).toMatchObject({ state: 'cleanup-pending', pending: ['m1'], failure: null });
    await vi.waitFor(async () => expect(await leftovers()).toMatchObject([{ slot: 'web.0', deploy: first.id }]), {
      timeout: 5_000,
    });
    expect(leftoverText((await leftovers())[0] as Leftover)).toContain('removal is tried again by itself');

    await executor.recover('production', 'controller', never);
    expect((await deploys.get('production', second.id))?.state).toBe('cleanup-pending');
    engine.programs.clear();
    await executor.recover('production', 'controller', never);
    expect((await deploys.get('production', second.id))?.state).toBe('done');
    await vi.waitFor(async () => expect(await leftovers()).toEqual([]), { timeout: 5_000 });
    expect(Object.keys(engine.states())).toHaveLength(1);
  });
});
