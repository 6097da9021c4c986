/**
 * A machine in memory: answers steps as an agent does (fences, closed deploys, idempotent ensures) and follows the log.
 * What it runs is plain state that tests look at.
 */
import type { LogEntry, SlotRow } from '../../schemas/release.ts';
import { compareFences, type Fence, SignedStep, Step, type StepReply } from '../../schemas/step.ts';
import type { Store } from '../../store/port.ts';

export interface FakeMachine {
  /** Running instances by `slot deploy`. */
  readonly running: Map<string, SlotRow>;
  /** Stopped by a swap, not removed. */
  readonly stopped: Map<string, SlotRow>;
  /** Every step that was acted on, in order. */
  readonly acted: string[];
  /** Steps that were refused, with why. */
  readonly refused: string[];
  readonly jobRuns: string[];
  /** Slots whose start fails, with this code. */
  readonly failing: Map<string, string>;
  /** Verbs that it fails to hear: their steps fail without being acted on. */
  readonly deaf: Set<string>;
  /** Verbs whose steps are accepted, and never end. */
  readonly endless: Set<string>;
  applied: number;
}

const key = (row: SlotRow) => `${row.slot} ${row.deploy}`;

/** Serves `agent/<name>/step` of the store until the signal aborts. */
export function createFakeMachine(args: {
  store: Store;
  name: string;
  signal: AbortSignal;
  checkFences?: boolean;
}): FakeMachine {
  const { store, name, signal } = args;
  const machine: FakeMachine = {
    running: new Map(),
    stopped: new Map(),
    acted: [],
    refused: [],
    jobRuns: [],
    failing: new Map(),
    deaf: new Set(),
    endless: new Set(),
    applied: 0,
  };
  const fences = new Map<string, Fence>();
  const closed = new Set<string>();
  const finishedJobs = new Set<string>();
  const open = new Map<string, SlotRow[]>();

  async function entryAt(namespace: string, n: number): Promise<LogEntry> {
    const entry = await store.log.read(namespace, n);
    if (entry === null) throw new Error(`log entry ${n} is missing`);
    return entry;
  }

  async function converge(namespace: string): Promise<void> {
    const live = await store.log.live(namespace);
    const named = new Set(live?.slots.map(key));
    const held = new Set([...open.values()].flat().map(key));
    for (const id of machine.running.keys()) if (!named.has(id) && !held.has(id)) machine.running.delete(id);
    for (const id of machine.stopped.keys()) if (!held.has(id)) machine.stopped.delete(id);
    for (const row of live?.slots ?? []) if (!held.has(key(row))) machine.running.set(key(row), row);
  }

  async function act(step: Step): Promise<StepReply> {
    const { action, deploy, namespace } = step;
    const done: StepReply = { state: 'done', exitCode: null, drained: null };
    const held = open.get(deploy) ?? [];
    switch (action.verb) {
      case 'pull':
      case 'volume':
      case 'destroy':
        return done;
      case 'job':
        if (!finishedJobs.has(action.template)) machine.jobRuns.push(action.service);
        finishedJobs.add(action.template);
        return { ...done, exitCode: 0 };
      case 'start': {
        const { row } = action.order;
        const code = machine.failing.get(row.slot);
        if (code !== undefined) return { state: 'failed', code, message: `${row.slot} failed`, evidence: [] };
        open.set(deploy, [...held, row]);
        machine.running.set(key(row), row);
        return done;
      }
      case 'swap':
        open.set(deploy, [...held, ...action.stops, ...action.starts.map((it) => it.row)]);
        for (const row of action.stops) {
          machine.running.delete(key(row));
          machine.stopped.set(key(row), row);
        }
        for (const { row } of action.starts) machine.running.set(key(row), row);
        return done;
      case 'apply':
        await entryAt(namespace, action.n);
        machine.applied = Math.max(machine.applied, action.n);
        return done;
      case 'retire': {
        const live = await store.log.live(namespace);
        const named = new Set(live?.slots.map(key));
        const mine = new Set(held.map(key));
        for (const id of machine.running.keys()) if (!named.has(id) && !mine.has(id)) machine.running.delete(id);
        for (const id of machine.stopped.keys()) if (!named.has(id)) machine.stopped.delete(id);
        return { ...done, drained: 0 };
      }
      case 'close':
        await entryAt(namespace, action.n);
        closed.add(deploy);
        open.delete(deploy);
        await converge(namespace);
        return done;
    }
  }

  store.messages.serve(['agent', name, 'ping'], async () => ({}), signal);
  store.messages.serve(
    ['agent', name, 'step'],
    async (payload): Promise<StepReply> => {
      const step = Step.parse(JSON.parse(SignedStep.parse(payload).body));
      if (machine.deaf.has(step.action.verb)) {
        return { state: 'failed', code: 'AGENT_TIMEOUT', message: 'not heard', evidence: [] };
      }
      const highest = fences.get(step.namespace);
      if (args.checkFences !== false && highest !== undefined && compareFences(step.fence, highest) < 0) {
        machine.refused.push(`${step.id} FENCED`);
        return { state: 'refused', code: 'FENCED', message: 'a newer executor was here' };
      }
      fences.set(step.namespace, step.fence);
      const followsLog = ['apply', 'retire', 'close'].includes(step.action.verb);
      if (closed.has(step.deploy) && !followsLog) {
        machine.refused.push(`${step.id} CLOSED`);
        return { state: 'refused', code: 'CLOSED', message: 'the deploy is over' };
      }
      machine.acted.push(`${step.deploy} ${step.id}`);
      if (machine.endless.has(step.action.verb)) return { state: 'accepted', progress: 'working' };
      return await act(step);
    },
    signal,
  );
  return machine;
}
