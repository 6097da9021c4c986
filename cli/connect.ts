/** Builds the adapters of a command: store, keys, executor. The only place in cli/ that does, besides `up`. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import pino from 'pino';
import { type Agreements, createAgreements } from '../controller/consent/agreements.ts';
import type { ConfirmAgreement } from '../controller/consent/forge-check.ts';
import { createFreezes, type Freezes } from '../controller/consent/freezes.ts';
import { createAgents } from '../controller/execute/agents.ts';
import { type Clock, isoNow, systemClock } from '../controller/execute/clock.ts';
import { createDeploys, type Deploys } from '../controller/execute/deploys.ts';
import { createExecutor, type Executor } from '../controller/execute/executor.ts';
import { isDeadOwner } from '../controller/execute/lease-owner.ts';
import { type RemovedVolume, type RemoveVolumeArgs, removeVolume } from '../controller/execute/remove-volume.ts';
import type { ExecutorDeps } from '../controller/execute/session.ts';
import { type HoldChange, holdNamespace } from '../controller/hold.ts';
import { createNamespaces, type Namespaces } from '../controller/namespaces.ts';
import type { Secrets } from '../controller/secrets.ts';
import { isSlipwayError, SlipwayError } from '../schemas/errors.ts';
import type { ExecInput, ExecOrder } from '../schemas/exec.ts';
import type { Installation, StatePaths } from '../schemas/installation.ts';
import { type Logger, silentLogger } from '../schemas/logger.ts';
import { connectNats } from '../store/nats.ts';
import type { Store } from '../store/port.ts';
import { createTrace } from '../store/trace.ts';
import { signStep } from '../trust/sign.ts';
import { signExecInput, signExecOrder } from '../trust/sign-exec.ts';
import type { SignedBody } from '../trust/signed-body.ts';
import { refuseHalfRestored } from './backup/marker.ts';
import type { Output } from './output.ts';
import type { CommandContext } from './run-command.ts';
import { secretsOf } from './secrets-of.ts';
import { readInstallation } from './state-dir.ts';
import { operatorKey } from './up/keys.ts';

const CONNECT_TIMEOUT_MS = 10_000;

export interface Connection extends AsyncDisposable {
  readonly paths: StatePaths;
  readonly installation: Installation;
  readonly store: Store;
  readonly executor: Executor;
  /** One that takes agreements given on a forge as well, after it asked. */
  executorWith(confirmAgreement: ConfirmAgreement): Executor;
  readonly deploys: Deploys;
  readonly namespaces: Namespaces;
  readonly secrets: Secrets;
  readonly agreements: Agreements;
  readonly freezes: Freezes;
  readonly clock: Clock;
  readonly log: Logger;
  readonly output: Output;
  readonly actor: string;
  readonly gatewayPorts: readonly number[];
  /** Signs what `slipway exec` asks. */
  readonly signExec: { order(order: ExecOrder): SignedBody; input(input: ExecInput): SignedBody };
  /** The loop keeps its hands off the namespace until `resume`, or until git says something new. */
  hold(namespace: string, why: string): Promise<HoldChange>;
  /** Finishes or voids what dead executors left of the namespace, so that what follows sees how it ended. */
  recover(namespace: string, signal: AbortSignal): Promise<void>;
  /** The volume and its data are gone. @throws VOLUME_IN_USE, UNKNOWN_VOLUME */
  removeVolume(args: Omit<RemoveVolumeArgs, 'actor'>): Promise<RemovedVolume>;
  /** Who leads, null: no controller runs. */
  controller(): Promise<string | null>;
}

/** @throws SETUP_FAILED without an installation, STATE_UNAVAILABLE when NATS does not answer */
export async function connect(context: CommandContext): Promise<Connection> {
  const { paths, output } = context;
  const installation = readInstallation(paths);
  await refuseHalfRestored(paths);
  const log: Logger = context.verbose ? pino({ level: 'debug' }, pino.destination(2)) : silentLogger;
  const clock = systemClock;
  const store = await connectNats({
    url: installation.natsUrl ?? embeddedUrl(paths),
    name: `slipway on ${installation.machine}`,
    log,
    clock,
    timeoutMs: CONNECT_TIMEOUT_MS,
    signal: context.signal,
    installation: installation.id,
    ...(installation.natsUrl === null ? { storeDir: paths.nats } : {}),
  }).catch((error: unknown) => {
    throw isSlipwayError(error, 'STATE_UNAVAILABLE') ? unanswered(error, installation) : error;
  });
  const key = await operatorKey(paths);
  const deploys = createDeploys({ bucket: store.bucket('deploys') });
  const namespaces = createNamespaces({ bucket: store.bucket('namespaces') });
  const agents = createAgents({ messages: store.messages, sign: (step) => signStep(step, key), clock });
  const actor = `cli/${userInfo().username}`;
  const secrets = secretsOf(store, paths, installation);
  const executing: ExecutorDeps = {
    store,
    secrets,
    deploys,
    agents,
    clock,
    log,
    installation: installation.id,
    machine: installation.machine,
    trace: createTrace({ env: process.env }),
  };
  const executor = createExecutor(executing);
  return {
    paths,
    installation,
    store,
    executor,
    executorWith: (confirmAgreement) => createExecutor({ ...executing, confirmAgreement }),
    deploys,
    namespaces,
    secrets,
    agreements: createAgreements({ bucket: store.bucket('consents') }),
    freezes: createFreezes({ bucket: store.bucket('freezes'), now: () => clock.now() }),
    clock,
    log,
    output,
    actor,
    gatewayPorts: [installation.httpPort],
    signExec: { order: (it) => signExecOrder(it, key), input: (it) => signExecInput(it, key) },
    hold: (namespace, why) => holdNamespace(namespaces, { namespace, by: actor, why, at: isoNow(clock) }),
    async recover(namespace, signal) {
      if ((await deploys.listOpen(namespace)).length === 0) return;
      const ended = await executor.recover(namespace, actor, signal);
      // Else somebody is at work on it, and is waited for when it comes to deploying.
      if (ended) output.note(`${namespace}: a deploy was left unfinished; it was ended first`);
    },
    removeVolume: (args) => removeVolume(executing, { ...args, actor }),
    async controller() {
      const holder = await store.leases.holder(['controller']);
      return holder === null || isDeadOwner(holder, installation.machine) ? null : holder;
    },
    async [Symbol.asyncDispose]() {
      await store.close();
    },
  };
}

function unanswered(error: SlipwayError, { natsUrl }: Installation): SlipwayError {
  const next =
    natsUrl === null
      ? '`slipway up` starts it'
      : 'is it running, and is its address right? `slipway up --nats URL` names another';
  const message = `${error.message}; what is live goes on serving without it. Next: ${next}`;
  return new SlipwayError('STATE_UNAVAILABLE', message, error.details, error);
}

function embeddedUrl(paths: StatePaths): string {
  try {
    return readFileSync(paths.natsUrlFile, 'utf8').trim();
  } catch (error) {
    throw new SlipwayError(
      'STATE_UNAVAILABLE',
      `the embedded nats-server has not been started yet (${paths.natsUrlFile} is missing): \`slipway up\` starts it`,
      {},
      error,
    );
  }
}
