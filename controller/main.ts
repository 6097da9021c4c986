/**
 * The controller: one leader follows the tracked branch, carries out what changed, and finishes what dead executors
 * left. Builds the parts of the controller; everything else is given.
 */

import { setMaxListeners } from 'node:events';
import { Consent } from '../schemas/consent.ts';
import { NamespaceRecord } from '../schemas/deploy.ts';
import type { Installation, StatePaths } from '../schemas/installation.ts';
import type { Logger } from '../schemas/logger.ts';
import { PREVIEW_SECRETS } from '../schemas/secret.ts';
import type { Lease, Store } from '../store/port.ts';
import type { KeyPair } from '../trust/keys.ts';
import type { TrustedKeys } from '../trust/signed-body.ts';
import type { ConfirmAgreement } from './consent/forge-check.ts';
import { scopeOf } from './consent/freezes.ts';
import { type Clock, isoNow } from './execute/clock.ts';
import type { Deploys } from './execute/deploys.ts';
import type { Executor } from './execute/executor.ts';
import { isDeadOwner, leaseOwner } from './execute/lease-owner.ts';
import type { RemovedVolume, RemoveVolumeArgs } from './execute/remove-volume.ts';
import { createFollower } from './follow.ts';
import { forgeFromEnv } from './forge/from-env.ts';
import { createHttpServer } from './http/server.ts';
import { createLoop, type Loop } from './loop.ts';
import { createMetrics } from './metrics.ts';
import type { Namespaces } from './namespaces.ts';
import { createPreviews } from './previews/previews.ts';
import { createPullRequests } from './pull-requests.ts';
import { createConfirmer } from './pulls/confirmer.ts';
import { createPullRecords } from './pulls/records.ts';
import { createMergedPulls } from './pulls/reviewed-images.ts';
import { createLedger } from './record/ledger.ts';
import { createSource } from './source/source.ts';
import type { SourceState } from './source/state.ts';
import { watchPaths } from './source/wake-up.ts';
import { allowRewind, manifestsFolder, openTracked, type Tracked } from './tracked.ts';

export interface ControllerDeps {
  readonly store: Store;
  readonly executor: Executor;
  /** One that looks again at agreements that were given in pull requests. */
  executorWith(confirmAgreement: ConfirmAgreement): Executor;
  removeVolume(args: Omit<RemoveVolumeArgs, 'actor'>): Promise<RemovedVolume>;
  readonly deploys: Deploys;
  readonly namespaces: Namespaces;
  readonly clock: Clock;
  readonly log: Logger;
  readonly machine: string;
  readonly paths: StatePaths;
  readonly tracked: Tracked;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly gatewayPorts: readonly number[];
  /** Loopback port of webhooks, health and metrics; null: none. */
  readonly hookPort: number | null;
  readonly hookSecrets: readonly string[];
  readonly installation: Pick<Installation, 'id'>;
  /** Who signs releases in git, and whose signatures there are believed. */
  readonly signing: { readonly key: KeyPair; readonly trusted: TrustedKeys };
  /** What a person who watches should read, line by line. */
  readonly say: (text: string) => void;
  /** A point at which a process may be killed in tests; does nothing otherwise. */
  readonly trace?: (point: string) => void;
}

const ACTOR = 'controller';
const LEASE_RETRY_MS = 1_000;
const RECOVER_EVERY_MS = 3_000;

/** Runs until the signal aborts; gives its lease back then. Workloads, gateway and agents go on without it. */
export async function runController(deps: ControllerDeps, signal: AbortSignal): Promise<void> {
  sayConnection(deps, signal);
  while (!signal.aborted) {
    const lease = await becomeLeader(deps, signal);
    if (lease === null) return;
    const term = AbortSignal.any([signal, lease.lost]);
    try {
      await lead(deps, term);
    } finally {
      await lease.release().catch((error: unknown) => deps.log.warn({ err: error }, 'lease not released; it expires'));
    }
    if (lease.lost.aborted) deps.say('lost the controller lease; standing by');
  }
}

function sayConnection({ store, say }: ControllerDeps, signal: AbortSignal): void {
  let before = true;
  store.onConnection((connected) => {
    if (connected !== before) say(connected ? 'state: NATS answers again' : AWAY);
    before = connected;
  }, signal);
}

const AWAY = 'state: NATS does not answer; what is live goes on serving, deploys wait until it is back';

async function becomeLeader(deps: ControllerDeps, signal: AbortSignal): Promise<Lease | null> {
  const { leases } = deps.store;
  let told = '';
  let failure = '';
  while (!signal.aborted) {
    try {
      const lease = await leases.acquire(['controller'], leaseOwner(ACTOR, deps.machine));
      if (lease !== null) return lease;
      const holder = (await leases.holder(['controller'])) ?? '';
      if (isDeadOwner(holder, deps.machine)) {
        await leases.revoke(['controller'], holder);
        continue;
      }
      if (holder !== told) deps.say(`another controller leads (${holder}); standing by`);
      told = holder;
    } catch (error) {
      deps.log.warn({ err: error }, 'cannot ask for the controller lease');
      const why = error instanceof Error ? error.message : String(error);
      if (why !== failure && !signal.aborted) deps.say(`cannot lead yet: ${why}; it is tried again by itself`);
      failure = why;
    }
    await deps.clock.sleep(LEASE_RETRY_MS, signal).catch(() => undefined);
  }
  return null;
}

async function lead(deps: ControllerDeps, term: AbortSignal): Promise<void> {
  const { store, clock, log, tracked } = deps;
  // Every wait of every namespace listens to the end of the term.
  setMaxListeners(0, term);
  const configured = forgeFromEnv({ env: deps.env, location: tracked.location, clock, log });
  const repository = openTracked({ ...deps, token: configured?.gitToken });
  const metrics = createMetrics();
  const records = createPullRecords({ bucket: store.bucket('pulls'), now: () => isoNow(clock) });
  const confirmAgreement = configured === null ? null : createConfirmer({ ...configured, store, records });
  const executor = confirmAgreement === null ? deps.executor : deps.executorWith(confirmAgreement);
  const mergedPulls =
    configured === null ? undefined : createMergedPulls({ ...configured, trackedBranch: tracked.branch });
  const loop = createLoop({ ...deps, executor, actor: ACTOR, metrics, mergedPulls }, term);
  const [httpPort = 80] = deps.gatewayPorts;
  const previews = createPreviews({ ...deps, loop, actor: ACTOR, httpPort });
  let untold = '';
  let health = { ok: false, source: 'not read yet' };
  const source = createSource({
    repository,
    cursors: store.bucket('cursors'),
    clock: { now: () => clock.now(), sleep: (ms, signal) => clock.sleep(ms, signal) },
    random: Math.random,
    log,
    manifestsFolder,
    allowRewind,
    watch: watchPaths,
  });
  const pulls =
    configured === null || confirmAgreement === null
      ? null
      : createPullRequests(
          {
            ...deps,
            ...configured,
            executor,
            previews,
            records,
            repository,
            confirmAgreement,
            loop,
            installation: deps.installation.id,
            wake: () => source.wake(),
          },
          term,
        );
  const http =
    deps.hookPort === null
      ? null
      : createHttpServer({
          port: deps.hookPort,
          secrets: deps.hookSecrets,
          wake: () => source.wake(),
          github: pulls?.hook ?? null,
          health: () => health,
          metrics: () => metrics.text(),
          log,
        });
  const ledger = createLedger({
    ...store,
    heads: store.bucket('heads'),
    repository,
    workshop: repository,
    installation: deps.installation.id,
    signer: deps.signing.key,
    trusted: deps.signing.trusted,
    clock,
    logger: log,
    actor: ACTOR,
    say: deps.say,
  });
  const follow = createFollower({ store, loop, clock, log, actor: ACTOR, onState: deps.say });
  const follower = async (state: SourceState) => {
    metrics.count('source_states', { kind: state.kind });
    health = { ok: state.kind === 'ok', source: state.kind };
    try {
      await follow(state);
      await pulls?.onSource(state);
      untold = '';
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== untold && !term.aborted) deps.say(`state: ${why}; what is live goes on serving, deploys wait`);
      untold = why;
      throw error;
    }
  };
  deps.say(`following ${repository.name}, branch ${tracked.branch}`);
  await Promise.all([
    source.observe(follower, term),
    recoverForEver(deps, term),
    watchRequests(deps, loop, term),
    watchAgreements(deps, loop, term),
    ledger.run(term),
    previews.run(term),
    pulls?.run(),
    http?.listen(term),
  ]);
  await loop.stopped;
}

/** Deploys whose executor is gone, whoever it was. */
async function recoverForEver(deps: ControllerDeps, term: AbortSignal): Promise<void> {
  while (!term.aborted) {
    try {
      for (const namespace of await deps.deploys.openNamespaces()) await deps.executor.recover(namespace, ACTOR, term);
    } catch (error) {
      if (!term.aborted) deps.log.warn({ err: error }, 'recovery failed; it is tried again');
    }
    await deps.clock.sleep(RECOVER_EVERY_MS, term).catch(() => undefined);
  }
}

/** `slipway resume` changes the record, `slipway secret set` a secret; the loop looks at once. */
async function watchRequests(deps: ControllerDeps, loop: Loop, term: AbortSignal): Promise<void> {
  await deps.store.bucket('namespaces').watch((change) => {
    const record = NamespaceRecord.safeParse(change.value);
    if (record.success && record.data.held === null && record.data.failed === null) loop.poke(record.data.namespace);
  }, term);
  await deps.store.bucket('secrets').watch(({ key: [namespace = ''] }) => {
    // Those of previews belong to no namespace in particular.
    if (namespace === PREVIEW_SECRETS) loop.pokeAll();
    else loop.poke(namespace);
  }, term);
}

/** A consent, an approval and a freeze that ended let something go on: the loop looks at once. */
async function watchAgreements({ store }: ControllerDeps, loop: Loop, term: AbortSignal): Promise<void> {
  await store.bucket('consents').watch((change) => {
    const given = Consent.safeParse(change.value);
    if (given.success && given.data.used === null) loop.poke(given.data.namespace);
  }, term);
  await store.bucket('freezes').watch(({ key }) => {
    const scope = scopeOf(key);
    if (scope === '*') loop.pokeAll();
    else if (scope !== null) loop.poke(scope);
  }, term);
}
