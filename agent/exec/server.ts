/**
 * Commands that people run in instances of this machine.
 *
 * `agent.<machine>.exec` signed ExecOrder → ExecReply, then ExecPieces to the inbox of the order;
 * `agent.<machine>.exec-input` signed ExecInput → ExecReply.
 */
import { isSlipwayError } from '../../schemas/errors.ts';
import type { ExecOrder, ExecReply } from '../../schemas/exec.ts';
import type { Logger } from '../../schemas/logger.ts';
import type { Messages } from '../../store/port.ts';
import type { Engine } from '../docker/port.ts';
import type { FindTrustedKeys } from '../trusted-keys.ts';
import type { World } from '../world.ts';
import { createExecDoor } from './door.ts';
import { createKeptCommands } from './kept.ts';
import { createOutbox } from './outbox.ts';
import { type Session, startSession } from './session.ts';

/** Commands at a time on one machine. */
const MAX_AT_ONCE = 8;
const LONGEST_PROGRAM = 200;

export interface ExecServerDeps {
  readonly installation: string;
  readonly machine: string;
  readonly messages: Pick<Messages, 'serve' | 'request'>;
  readonly engine: Pick<Engine, 'inside'>;
  readonly world: Pick<World, 'containers'>;
  readonly trustedKeys: FindTrustedKeys;
  readonly folder: string;
  /** A command began. */
  readonly onRun: (order: ExecOrder) => void;
  readonly log: Logger;
  readonly now: () => number;
  readonly bornAt: number;
}

export interface ExecServer {
  /** Serves until the signal aborts; then the commands that still run are killed. */
  serve(signal: AbortSignal): void;
}

export function createExecServer(deps: ExecServerDeps): ExecServer {
  const { machine, messages, engine, world, now, log } = deps;
  const door = createExecDoor(deps);
  const kept = createKeptCommands({ folder: deps.folder, log });
  const sessions = new Map<string, Session>();
  let beginning = 0;

  async function begin(order: ExecOrder, signal: AbortSignal): Promise<ExecReply> {
    const { id, namespace, slot, deploy, argv, env, user, stdin, terminal, inbox } = order;
    if ([...sessions.values()].filter((it) => it.runs()).length + beginning >= MAX_AT_ONCE)
      return refused('USAGE', `${MAX_AT_ONCE} commands run on ${machine} already; end one of them first`);
    const container = (world.containers() ?? []).find(
      ({ identity: it, state }) =>
        !it.job && it.namespace === namespace && it.slot === slot && it.deploy === deploy && state === 'running',
    );
    if (container === undefined)
      return refused(
        'USAGE',
        `${namespace}/${slot} does not run on ${machine} any more; \`slipway status\` says what does`,
      );
    beginning += 1;
    try {
      const inside = await engine.inside(container.id, { argv, env, user, stdin, terminal });
      const session = startSession({
        containerId: container.id,
        inside,
        terminal,
        outbox: createOutbox({ messages, inbox, now, signal }),
        onProcess: async (command) => await kept.keep(id, command),
        log,
      });
      sessions.set(id, session);
      void session.over.then(async () => {
        sessions.delete(id);
        await kept.forget(id);
      });
    } finally {
      beginning -= 1;
    }
    deps.onRun(order);
    return { state: 'taken' };
  }

  async function answer(work: () => Promise<ExecReply>): Promise<ExecReply> {
    try {
      return await work();
    } catch (error) {
      if (!isSlipwayError(error)) throw error;
      if (error.code === 'UNTRUSTED') log.warn({}, `a command in a container was refused: ${error.message}`);
      return refused(error.code, error.message);
    }
  }

  return {
    serve(signal) {
      void kept.endLeft();
      const begins = async (payload: unknown) =>
        await answer(async () => await begin(await door.order(payload), signal));
      const says = async (payload: unknown) =>
        await answer(async () => {
          const { id, say } = await door.input(payload);
          const session = sessions.get(id);
          return session === undefined ? refused('USAGE', 'no such command runs here') : { state: session.take(say) };
        });
      messages.serve(['agent', machine, 'exec'], begins, signal);
      messages.serve(['agent', machine, 'exec-input'], says, signal);
      signal.addEventListener('abort', () => [...sessions.values()].forEach((it) => it.kill()), { once: true });
    },
  };
}

/** The program of a command, for the audit: its arguments may hold secrets. */
export function programOf(argv: readonly string[]): string {
  return (argv[0] ?? '').slice(0, LONGEST_PROGRAM);
}

function refused(code: string, message: string): ExecReply {
  return { state: 'refused', code, message };
}
