/**
 * Pull requests: what webhooks, polling, the tracked branch and the state tell is looked at by the desk, and commands in
 * comments are carried out. Only built where the environment has credentials for a forge.
 */
import { randomUUID } from 'node:crypto';
import type { PullNumber } from '../schemas/forge.ts';
import type { Logger } from '../schemas/logger.ts';
import type { Store } from '../store/port.ts';
import { createOwnVerbs } from './commands/own-verbs.ts';
import { type Answer, createCommands } from './commands/take.ts';
import { createAgreements } from './consent/agreements.ts';
import type { ConfirmAgreement } from './consent/forge-check.ts';
import { createFreezes } from './consent/freezes.ts';
import { type Clock, isoNow } from './execute/clock.ts';
import type { Deploys } from './execute/deploys.ts';
import type { Executor } from './execute/executor.ts';
import { createEars, type Ears } from './forge/ears.ts';
import type { Forge } from './forge/port.ts';
import type { OpenRepository } from './git/repository.ts';
import type { Loop } from './loop.ts';
import type { Namespaces } from './namespaces.ts';
import type { Previews } from './previews/port.ts';
import { createDesk } from './pulls/desk.ts';
import type { PullRecords } from './pulls/records.ts';
import { createPullVerbs } from './pulls/verbs.ts';
import { watchState } from './pulls/watch.ts';
import type { SourceState } from './source/state.ts';

export interface PullRequestDeps {
  readonly forge: Forge;
  readonly store: Store;
  readonly executor: Executor;
  readonly deploys: Deploys;
  readonly namespaces: Namespaces;
  readonly previews: Previews;
  readonly records: PullRecords;
  readonly repository: OpenRepository;
  readonly confirmAgreement: ConfirmAgreement;
  readonly gatewayPorts: readonly number[];
  readonly installation: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly loop: Pick<Loop, 'poke'>;
  /** The tracked branch may have moved. */
  readonly wake: () => void;
  readonly say: (text: string) => void;
}

export interface PullRequests {
  /** For `createHttpServer({ github })`. */
  readonly hook: Ears['hook'];
  /** What the tracked branch says now. */
  onSource(state: SourceState): Promise<void>;
  run(): Promise<void>;
}

/** Works until the signal aborts. */
export function createPullRequests(deps: PullRequestDeps, signal: AbortSignal): PullRequests {
  const { store, forge, clock, log, records, repository } = deps;
  const now = () => isoNow(clock);
  const desk = createDesk({ ...deps, workshop: repository });
  const commands = createCommands({
    forge,
    bucket: store.bucket('commands'),
    verbs: {
      ...createOwnVerbs({
        ...deps,
        agreements: createAgreements({ bucket: store.bucket('consents') }),
        freezes: createFreezes({ bucket: store.bucket('freezes'), now: () => clock.now() }),
      }),
      ...createPullVerbs({ records, desk, now, landing: { ...deps, now: () => clock.now() } }),
    },
    settings: () => desk.tip()?.settings ?? null,
    owner: randomUUID(),
    clock,
    log,
  });
  const ears = createEars(
    {
      store,
      forge,
      clock,
      log,
      random: Math.random,
      handlers: {
        onPull: (number) => desk.lookAt(number, signal),
        onComment: async (id) => await answer(await commands.take(id, signal)),
        onPush: async () => deps.wake(),
        onAll: async () => await lookAtEach(await desk.all(signal)),
      },
    },
    signal,
  );
  const look = (number: PullNumber) => void ears.add({ kind: 'pull', number });

  async function lookAtEach(numbers: readonly PullNumber[]): Promise<void> {
    await Promise.all(numbers.map((number) => ears.add({ kind: 'pull', number })));
  }

  /** The result of a command stands in the comments of its pull request. */
  async function answer(given: Answer | null): Promise<void> {
    if (given === null) return;
    await records.amend(given.pull, (it) => ({ ...it, command: given.result }));
    look(given.pull);
  }

  async function sayWhoWeAre(): Promise<void> {
    try {
      const { user, webUrl } = await forge.identity(signal);
      deps.say(`pull requests of ${webUrl} are planned, as ${user.login}`);
      for (const it of await commands.interrupted(signal)) await answer(it);
    } catch (error) {
      if (signal.aborted) return;
      const why = error instanceof Error ? error.message : String(error);
      deps.say(`pull requests wait: ${why}; deploys do not`);
    }
  }

  return {
    hook: ears.hook,
    async onSource(state) {
      for (const number of await desk.onSource(state)) look(number);
    },
    async run() {
      await Promise.all([sayWhoWeAre(), ears.run(), watchState({ ...deps, desk }, look, signal)]);
    },
  };
}
