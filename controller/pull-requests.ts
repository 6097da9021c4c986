/**
 * Pull requests: what webhooks, polling, the tracked branch and the state tell is looked at by the desk, and commands in
 * comments are carried out. Only built where the environment has credentials for a forge.
 */
import { randomUUID } from 'node:crypto';
import type { CommandResult, PullNumber } from '../schemas/forge.ts';
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
import { createForgeHealth } from './forge-report.ts';
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
  /** A point at which a process may be killed in tests; does nothing otherwise. */
  readonly trace?: (point: string) => void;
  /** Between two polls of the forge; null: as is usual. */
  readonly pollMs?: number | null;
  /** Before the second try of a look that failed; it doubles. */
  readonly retryMs?: number;
}

export interface PullRequests {
  /** For `createHttpServer({ github })`. */
  readonly hook: Ears['hook'];
  /** What the tracked branch says now. */
  onSource(state: SourceState): Promise<void>;
  run(): Promise<void>;
}

const BEGIN_RETRY_MS = 10_000;

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
    ...(deps.trace === undefined ? {} : { trace: deps.trace }),
  });
  const health = createForgeHealth(deps);
  /** Results of commands in pull requests that were not looked at yet. */
  const unsaid = new Map<PullNumber, CommandResult>();
  const ears = createEars(
    {
      store,
      forge,
      clock,
      log,
      random: Math.random,
      pollMs: deps.pollMs ?? null,
      retryMs: deps.retryMs,
      onPolled: (failure) => health.heard(failure),
      handlers: {
        onPull: lookAt,
        onComment: async (id) => {
          const given = await commands.take(id, signal);
          await answer(given).catch(missed);
        },
        onPush: async () => deps.wake(),
        onAll: async () => {
          await takeOver();
          await lookAtEach(await desk.all(signal));
        },
      },
    },
    signal,
  );
  /** Nobody tells of it again, as deliveries do: it comes with all the others. */
  const missed = () => {
    if (!signal.aborted) ears.hook.missed();
  };
  const look = (number: PullNumber) => void ears.add({ kind: 'pull', number }).catch(missed);

  async function lookAtEach(numbers: readonly PullNumber[]): Promise<void> {
    await Promise.all(numbers.map((number) => ears.add({ kind: 'pull', number })));
  }

  async function lookAt(number: PullNumber): Promise<void> {
    await desk.lookAt(number, signal);
    const result = unsaid.get(number);
    if (result !== undefined && (await note({ pull: number, result }))) unsaid.delete(number);
  }

  /** The result of a command stands in the comments of its pull request, unless a later one does; false: it has no record. */
  async function note({ pull, result }: Answer): Promise<boolean> {
    let news = false;
    const after = await records.amend(pull, (it) => {
      news = it.command === null || it.command.at < result.at;
      return news ? { ...it, command: result } : it;
    });
    if (news) look(pull);
    return after !== null;
  }

  async function answer(given: Answer | null): Promise<void> {
    if (given === null || (await note(given))) return;
    // Whoever wrote it was faster than the first look.
    unsaid.set(given.pull, given.result);
    look(given.pull);
  }

  /** What was begun and not ended, or ended and not told: by an earlier term, or because the forge was away. */
  async function takeOver(): Promise<void> {
    await commands.interrupted(signal);
    for (const it of await commands.lastResults()) if (!(await note(it))) unsaid.set(it.pull, it.result);
  }

  /** Until the forge has answered once. */
  async function begin(): Promise<void> {
    for (let told = ''; !signal.aborted; ) {
      try {
        const { user, webUrl } = await forge.identity(signal);
        deps.say(`pull requests of ${webUrl} are planned, as ${user.login}`);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const why = error instanceof Error ? error.message : String(error);
        if (why !== told) log.warn({ err: error }, 'pull requests wait');
        told = why;
        await clock.sleep(BEGIN_RETRY_MS, signal).catch(() => undefined);
      }
    }
  }

  return {
    hook: ears.hook,
    async onSource(state) {
      for (const number of await desk.onSource(state)) look(number);
    },
    async run() {
      await Promise.all([begin(), ears.run(), watchState({ ...deps, desk }, look, signal)]);
    },
  };
}
