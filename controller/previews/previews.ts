/**
 * Keeps previews: each call says what is wanted now, the loop makes it so, and what is to go goes to its proven end.
 * Everything lies in records and in the log, so lost events, repeated calls and restarts change nothing.
 */
import pLimit from 'p-limit';
import type { PullNumber } from '../../schemas/forge.ts';
import type { Logger } from '../../schemas/logger.ts';
import type { NamespaceName } from '../../schemas/names.ts';
import type { PreviewRecord } from '../../schemas/preview.ts';
import type { PreviewView } from '../comment/model.ts';
import type { Clock } from '../execute/clock.ts';
import type { Deploys } from '../execute/deploys.ts';
import { lastStanding } from '../execute/volumes.ts';
import { forkDesired } from '../fork/fork.ts';
import { DEFAULT_MODES } from '../fork/modes.ts';
import type { Loop } from '../loop.ts';
import type { Namespaces } from '../namespaces.ts';
import { desiredDigest } from '../reconcile.ts';
import { decidePreview, type PreviewDecision, previewName } from './decide.ts';
import type { Previews, PreviewWish } from './port.ts';
import { createPreviewRecords } from './records.ts';
import { createRemover } from './remover.ts';
import { readSource } from './source.ts';
import type { TeardownDeps } from './teardown.ts';
import { viewOf } from './view.ts';

export interface PreviewsDeps extends TeardownDeps {
  readonly deploys: Pick<Deploys, 'listOpen'>;
  readonly namespaces: Namespaces;
  readonly loop: Pick<Loop, 'want' | 'poke'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly actor: string;
  /** Port of the gateways for http. */
  readonly httpPort: number;
  /** A point at which a process may be killed in tests; does nothing otherwise. */
  readonly trace?: (point: string) => void;
}

/** `run` takes previews away that are to go, notices those whose time is over, and tells who listens; until the signal aborts. */
export function createPreviews(deps: PreviewsDeps): Previews & { run(signal: AbortSignal): Promise<void> } {
  const { store, loop, clock } = deps;
  const records = createPreviewRecords({ bucket: store.bucket('previews') });
  const listeners = new Set<(pull: PullNumber) => void>();
  /** Why pull requests that have no preview have none; known again after the next call. */
  const refused = new Map<PullNumber, PreviewView>();
  const notify = (pull: PullNumber) => {
    for (const it of listeners) it(pull);
  };
  const remover = createRemover({
    ...deps,
    records,
    onRemoved: (record) => {
      notify(record.pull);
      // Its place is free.
      for (const pull of refused.keys()) notify(pull);
    },
  });
  // One after another: the cap counts what the call before has made.
  const turn = pLimit(1);

  async function decide(wish: PreviewWish): Promise<{ decision: PreviewDecision; own: PreviewRecord | null }> {
    const all = await records.list();
    const there = all.filter((it) => it.state !== 'removed');
    const own = there.find((it) => it.pull === wish.pull.number) ?? null;
    const others = there.filter((it) => it !== own);
    const { source, name } = wish.settings.previews;
    const namespace = previewName(name, wish.pull.number);
    const decision = decidePreview(wish, {
      own,
      others,
      taken: own === null && (others.some((it) => it.namespace === namespace) || (await isTaken(namespace))),
      sourceIsLive: source !== null && (await store.log.live(source)) !== null,
      nowMs: clock.now(),
    });
    return { decision, own };
  }

  /** Whoever made something of that name before, its volumes are not for a pull request. */
  async function isTaken(namespace: NamespaceName): Promise<boolean> {
    const entries = await store.log.entries(namespace);
    if (entries.length === 0) return false;
    const last = lastStanding(entries);
    if (last !== null && (last.kind === 'release' || last.volumes.length > 0)) return true;
    const released = entries.findLast((it) => it.kind === 'release');
    return released?.kind === 'release' && released.managedBy !== 'preview';
  }

  async function make(
    wish: PreviewWish,
    own: PreviewRecord | null,
    { namespace, expiresAtMs }: Extract<PreviewDecision, { act: 'make' }>,
  ): Promise<PreviewView | null> {
    const { settings, fleet, pull, revision } = wish;
    const source = settings.previews.source ?? '';
    const desired = fleet?.desired.find((it) => it.namespace === source);
    if (desired === undefined) throw new Error(`no manifests of ${source}`);
    const released = await readSource(store, source);
    const seed = fleet?.seeds.get(source) ?? null;
    const args = { source: desired, seed, released, namespace, number: pull.number, modes: DEFAULT_MODES, settings };
    const fork = forkDesired(args);
    if (!fork.ok) return await refuse(wish, own, fork.problems.join('; '));
    const expiresAt = new Date(expiresAtMs).toISOString();
    const record = await records.change(namespace, (before) => ({
      namespace,
      pull: pull.number,
      source,
      forkedFrom: fork.forkedFrom,
      head: pull.head.revision,
      revision,
      desiredDigest: desiredDigest(fork.desired),
      state: 'wanted',
      why: fork.notes.join(' '),
      startedAt: own === null ? new Date(clock.now()).toISOString() : (before?.startedAt ?? own.startedAt),
      expiresAt,
      endedAt: null,
      before: null,
      hostnames: [...new Set([...(own === null ? [] : own.hostnames), ...hostnamesOf(fork.desired)])],
      proof: '',
    }));
    refused.delete(pull.number);
    deps.trace?.('preview:wanted');
    loop.want({
      namespace,
      desired: fork.desired,
      revision,
      managedBy: 'preview',
      images: fork.images,
      forkedFrom: fork.forkedFrom ?? undefined,
      maxRemovePercent: 100,
      approvalRequired: false,
    });
    return await show(record);
  }

  /** What is there stays; where nothing is, people are told why. */
  async function refuse(wish: PreviewWish, own: PreviewRecord | null, why: string): Promise<PreviewView> {
    if (own !== null) {
      const view = await show(own);
      return { ...view, message: `${why}; it stays as it was at ${own.head.slice(0, 12)}` };
    }
    const namespace = previewName(wish.settings.previews.name, wish.pull.number);
    const nothing = { urls: [], forkedFrom: null, release: null, expiresAt: null };
    const view: PreviewView = { namespace, state: 'refused', message: why, ...nothing };
    refused.set(wish.pull.number, view);
    return view;
  }

  async function show(record: PreviewRecord): Promise<PreviewView> {
    const { namespace } = record;
    const [remembered, live, open] = await Promise.all([
      deps.namespaces.get(namespace),
      store.log.live(namespace),
      deps.deploys.listOpen(namespace),
    ]);
    return viewOf({ record, loop: remembered, live, open, httpPort: deps.httpPort });
  }

  async function ownOf(pull: PullNumber): Promise<PreviewRecord | null> {
    const all = (await records.list()).filter((it) => it.pull === pull);
    return (
      all.find((it) => it.state !== 'removed') ??
      all.toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1))[0] ??
      null
    );
  }

  async function end(pull: PullNumber, why: string): Promise<PreviewView | null> {
    refused.delete(pull);
    const record = await ownOf(pull);
    if (record === null) return null;
    return await show(record.state === 'wanted' ? await remover.begin(record, why) : record);
  }

  async function reconcile(wish: PreviewWish): Promise<PreviewView | null> {
    const { decision, own } = await decide(wish);
    // What is going is gone first; whoever listens is told then, and asks again.
    if (own?.state === 'removing') return await show(own);
    switch (decision.act) {
      case 'make':
        return await make(wish, own, decision);
      case 'stay':
      case 'refuse':
        return await refuse(wish, own, decision.why);
      case 'remove':
        return own === null ? null : await show(await remover.begin(own, decision.why));
      case 'none': {
        refused.delete(wish.pull.number);
        const last = await ownOf(wish.pull.number);
        return last === null ? null : await show(last);
      }
    }
  }

  async function sweep(open: ReadonlySet<PullNumber> | null, askedAtMs: number): Promise<void> {
    for (const it of await records.list()) {
      if (it.state === 'removed') await records.forgetOld(it, clock.now());
      if (it.state !== 'wanted') continue;
      const isOlder = Date.parse(it.startedAt) < askedAtMs;
      if (open !== null && isOlder && !open.has(it.pull))
        await remover.begin(it, 'its pull request is not open any more');
      else if (Date.parse(it.expiresAt) <= clock.now())
        await remover.begin(it, 'its time is over; a push or `/slipway preview` makes it again');
    }
  }

  return {
    reconcile: (wish) => turn(() => reconcile(wish)),
    end: (pull, why) => turn(() => end(pull, why)),
    sweep: (open, askedAtMs) => turn(() => sweep(open, askedAtMs)),
    async view(pull) {
      const record = await ownOf(pull);
      const none = refused.get(pull) ?? null;
      return record === null || (record.state === 'removed' && none !== null) ? none : await show(record);
    },
    onChange(changed, signal) {
      listeners.add(changed);
      signal.addEventListener('abort', () => listeners.delete(changed), { once: true });
    },
    async run(signal) {
      const changed = async (namespace: string) => {
        const record = await records.get(namespace).catch(() => null);
        if (record === null) return;
        if (record.state === 'removing') remover.wake();
        notify(record.pull);
      };
      store.log.watch((namespace) => void changed(namespace), signal).catch(() => undefined);
      store
        .bucket('namespaces')
        .watch(({ key: [namespace = ''] }) => void changed(namespace), signal)
        .catch(() => undefined);
      await remover.run(() => turn(() => sweep(null, clock.now())), signal);
    },
  };
}

function hostnamesOf({
  services,
}: {
  readonly services: readonly { routes: readonly { kind: string }[] }[];
}): string[] {
  return services.flatMap((it) => it.routes.flatMap((route) => ('hostname' in route ? [String(route.hostname)] : [])));
}
