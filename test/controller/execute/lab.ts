/** An executor over the in-memory store and one fake machine; every point of it can be the last thing it does. */
import { createAgents } from '../../../controller/execute/agents.ts';
import { type Clock, systemClock } from '../../../controller/execute/clock.ts';
import { createDeploys, type Deploys } from '../../../controller/execute/deploys.ts';
import { createExecutor, type Executor } from '../../../controller/execute/executor.ts';
import type { ExecutorDeps } from '../../../controller/execute/session.ts';
import { readSituation } from '../../../controller/execute/situation.ts';
import { buildPlan } from '../../../controller/plan/build.ts';
import type { PlanInput } from '../../../controller/plan/input.ts';
import { digestOf } from '../../../schemas/canonical.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import type { Plan } from '../../../schemas/plan.ts';
import type { Desired, ServiceSpec } from '../../../schemas/service.ts';
import { createMemoryStore } from '../../../store/memory.ts';
import type { Store } from '../../../store/port.ts';
import { unpinned } from '../../builders/plan-input.ts';
import { createFakeMachine, type FakeMachine } from '../../fakes/machine.ts';

export interface ExecutorLab {
  readonly store: Store;
  readonly machine: FakeMachine;
  readonly deploys: Deploys;
  readonly executor: Executor;
  /** Another one over the same store, with other parts. */
  executorWith(more: Partial<ExecutorDeps>): Executor;
  /** An executor that dies for good at the k-th trace point (from 1): nothing it does after that reaches anybody. */
  doomed(k: number): {
    readonly executor: Executor;
    readonly points: string[];
    readonly dead: Promise<void>;
    revive(): void;
  };
  plan(services: readonly ServiceSpec[], overrides?: Partial<PlanInput>): Promise<Plan>;
  /** What a dead executor's lease would do after 30 s. */
  expireLease(): Promise<void>;
  close(): Promise<void>;
}

const MACHINE = 'm1';
const NAMESPACE = 'production';

export async function createExecutorLab(options: { checkFences?: boolean } = {}): Promise<ExecutorLab> {
  const stop = new AbortController();
  const store = createMemoryStore({ clock: systemClock, log: silentLogger });
  const machine = createFakeMachine({ store, name: MACHINE, signal: stop.signal, ...options });
  const registered = { name: MACHINE, labels: {}, region: null, zone: null, registeredAt: '2026-01-01T00:00:00.000Z' };
  await store.bucket('machines').put([MACHINE], registered);

  const executorOver = (over: Store, more: Partial<ExecutorDeps> = {}, clock: Clock = systemClock) =>
    createExecutor({
      store: over,
      deploys: createDeploys({ bucket: over.bucket('deploys') }),
      agents: createAgents({
        messages: over.messages,
        sign: (step) => ({ body: JSON.stringify(step), keyId: '', signature: '' }),
        clock,
      }),
      clock,
      log: silentLogger,
      installation: '00000000',
      machine: MACHINE,
      secrets: { sealFor: async (_, { name, version }) => ({ name, version, encapsulated: '', sealed: '' }) },
      trace: () => {},
      ...more,
    });

  return {
    store,
    machine,
    deploys: createDeploys({ bucket: store.bucket('deploys') }),
    executor: executorOver(store),
    executorWith: (more) => executorOver(store, more),
    doomed(k) {
      const points: string[] = [];
      const life = { dead: false };
      let announce = () => {};
      let wakeUp = () => {};
      const dead = new Promise<void>((resolve) => {
        announce = resolve;
      });
      const asleep = new Promise<void>((resolve) => {
        wakeUp = resolve;
      });
      const trace = (point: string) => {
        points.push(point);
        if (points.length !== k) return;
        life.dead = true;
        announce();
      };
      const executor = executorOver(mortal(store, life, asleep), { trace });
      return {
        executor,
        points,
        dead,
        revive: () => {
          life.dead = false;
          wakeUp();
        },
      };
    },
    async plan(services, overrides = {}) {
      const { snapshots: _, ...known } = await readSituation(store, NAMESPACE);
      const desired: Desired = {
        namespace: NAMESPACE,
        services: services.map(unpinned),
        volumes: overrides.desired?.volumes ?? [],
      };
      const result = buildPlan({
        ...known,
        kind: 'deploy',
        desiredDigest: digestOf(desired),
        revision: '1'.repeat(40),
        managedBy: 'git',
        rollbackTo: null,
        images: Object.fromEntries(services.map((it) => [it.name, it.template.image])),
        secrets: {},
        gatewayPorts: [80],
        maxRemovePercent: 100,
        approvalRequired: false,
        ...overrides,
        desired,
      });
      if (!result.ok) throw new Error(result.failures.map((it) => it.message).join('; '));
      return result.plan;
    },
    async expireLease() {
      const holder = await store.leases.holder(['ns', NAMESPACE]);
      if (holder !== null) await store.leases.revoke(['ns', NAMESPACE], holder);
    },
    async close() {
      stop.abort();
      await store.close();
    },
  };
}

/** The store as a process that may be paused or dead reaches it: from then on nothing it calls is carried out (until it goes on). */
export function mortal(store: Store, life: { dead: boolean }, asleep: Promise<void>): Store {
  const gate = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, name, receiver) {
        const value: unknown = Reflect.get(target, name, receiver);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          const call = () => (value as (...args: unknown[]) => unknown).apply(target, args);
          if (name === 'bucket') return gate(call() as object);
          if (!life.dead) {
            const result = call();
            return result instanceof Promise
              ? result.then(async (it: unknown) => (life.dead ? await asleep.then(() => it) : it))
              : result;
          }
          return asleep.then(call);
        };
      },
    });
  return {
    ...gate(store),
    log: gate(store.log),
    specs: gate(store.specs),
    leases: gate(store.leases),
    events: gate(store.events),
    messages: gate(store.messages),
    bucket: (name) => gate(store.bucket(name)),
  };
}
