/** One executor's hold on one namespace: its lease and fence, and the ways it acts under them. */
import type { Logger } from '../../schemas/logger.ts';
import type { DeployId, MachineName, NamespaceName } from '../../schemas/names.ts';
import type { MachineSecret, SecretName } from '../../schemas/secret.ts';
import type { StepAction } from '../../schemas/step.ts';
import type { Lease, Store } from '../../store/port.ts';
import type { Agreements } from '../consent/agreements.ts';
import type { ConfirmAgreement } from '../consent/forge-check.ts';
import type { Agents, StepDone } from './agents.ts';
import type { Clock } from './clock.ts';
import type { Deploys } from './deploys.ts';
import type { OnProgress } from './progress.ts';

export interface ExecutorDeps {
  readonly store: Store;
  readonly deploys: Deploys;
  readonly agents: Agents;
  readonly clock: Clock;
  readonly log: Logger;
  readonly installation: string;
  /** Where this executor runs. */
  readonly machine: string;
  /** Opens a secret for one machine only. @throws SECRET_MISSING, BASIS_MOVED when it has another version by now */
  readonly secrets: {
    sealFor(
      machine: MachineName,
      wanted: {
        readonly namespace: NamespaceName;
        /** The namespace that the secret belongs to, when that is another one. */
        readonly scope?: NamespaceName;
        readonly name: SecretName;
        readonly version: number;
      },
    ): Promise<MachineSecret>;
  };
  /** Those of the store, unless given. */
  readonly agreements?: Agreements;
  /** Looks again at agreements that were given on a forge; absent: none of those is taken here. */
  readonly confirmAgreement?: ConfirmAgreement;
  /** A point at which a process may be killed in tests; does nothing otherwise. */
  readonly trace: (point: string) => void;
}

export interface Session {
  readonly namespace: NamespaceName;
  readonly lease: Lease;
  readonly actor: string;
  readonly onProgress: OnProgress;
}

/** Sends one step of a deploy under the session's fence. */
export async function runStep(
  deps: ExecutorDeps,
  session: Session,
  args: {
    readonly deploy: DeployId;
    readonly machine: MachineName;
    readonly id: string;
    readonly action: StepAction;
    readonly signal: AbortSignal;
    readonly silenceMs?: number;
  },
): Promise<StepDone> {
  const { machine, id } = args;
  const show = (state: 'running' | 'done', text: string) =>
    session.onProgress({ kind: 'step', id, machine, state, text });
  deps.trace(`step:${args.action.verb}:send`);
  show('running', '');
  const done = await deps.agents.run(
    {
      installation: deps.installation,
      machine,
      namespace: session.namespace,
      deploy: args.deploy,
      id,
      fence: session.lease.fence,
      action: args.action,
    },
    {
      signal: args.signal,
      onProgress: (text) => show('running', text),
      ...(args.silenceMs === undefined ? {} : { silenceMs: args.silenceMs }),
    },
  );
  show('done', '');
  deps.trace(`step:${args.action.verb}:done`);
  return done;
}
