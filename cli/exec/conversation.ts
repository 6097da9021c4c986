/**
 * A command that runs in an instance, from the side of who asked: the order goes to the agent, output comes to our inbox
 * piece by piece and is answered when it was written, input is sent until it is taken.
 */
import type { Clock } from '../../controller/execute/clock.ts';
import { ERRORS, type ErrorCode, isSlipwayError, SlipwayError } from '../../schemas/errors.ts';
import {
  EXEC_LOST_AFTER_MS,
  EXEC_PIECE_BYTES,
  type ExecInput,
  type ExecOrder,
  ExecPiece,
  ExecReply,
  type ExecSaying,
  type ExecStream,
  type Terminal,
} from '../../schemas/exec.ts';
import type { Messages } from '../../store/port.ts';

const BEGIN_MS = 10_000;
const ANSWER_MS = 2_000;
const RETRY_MS = 50;
const WATCH_MS = 100;
/** Shorter than the agent waits for an answer. */
const BUSY_ANSWER_MS = 1_000;
/** Longer than the agent takes to end a command that does not want to. */
const STOP_MS = 8_000;

export interface ConversationDeps {
  readonly messages: Pick<Messages, 'request' | 'serve'>;
  readonly sign: { order(order: ExecOrder): unknown; input(input: ExecInput): unknown };
  readonly clock: Clock;
  readonly order: ExecOrder;
  /** Rejects when nobody reads any more. */
  readonly write: (stream: ExecStream, bytes: Buffer) => Promise<void>;
  /** null: no input. */
  readonly input: AsyncIterable<Buffer> | null;
  /** Calls back when the terminal changes its size. */
  readonly onResize: (listener: (terminal: Terminal) => void) => void;
  /** Ends the command. */
  readonly signal: AbortSignal;
}

/** The exit code of the command; null: it was stopped, by the signal or because nobody reads. @throws what the agent says, MACHINE_UNREACHABLE */
export async function converse(deps: ConversationDeps): Promise<number | null> {
  const { messages, sign, clock, order, write, signal } = deps;
  const { installation, machine, id, inbox } = order;
  const over = new AbortController();
  let heardAt = clock.now();
  let next = 0;
  let busy: Promise<void> | null = null;
  let unread = false;
  let settle: (outcome: Outcome) => void = () => {};
  const outcome = new Promise<Outcome>((resolve) => {
    settle = resolve;
  });

  /** A piece that is sent again while it is being written is waited for, then put off. */
  async function hear(payload: unknown): Promise<ExecReply> {
    const piece = ExecPiece.parse(payload);
    heardAt = clock.now();
    if (unread) return NO_MORE;
    if (piece.seq < next) return { state: 'taken' };
    if (piece.seq > next) return { state: 'full' };
    if (busy === null) {
      busy = take(piece).then(
        () => {
          next += 1;
          busy = null;
        },
        () => {
          unread = true;
        },
      );
    }
    await Promise.race([busy, clock.sleep(BUSY_ANSWER_MS, over.signal).catch(() => undefined)]);
    if (unread) return NO_MORE;
    return next > piece.seq ? { state: 'taken' } : { state: 'full' };
  }

  async function take(piece: ExecPiece): Promise<void> {
    if (piece.kind === 'output') await write(piece.stream, Buffer.from(piece.base64, 'base64'));
    else if (piece.kind === 'exit') settle({ exitCode: piece.exitCode });
    else if (piece.kind === 'failed') settle({ error: failure(machine, piece) });
  }

  /** false: the command has ended. */
  async function say(saying: ExecSaying): Promise<boolean> {
    const message = sign.input({ installation, machine, id, say: saying });
    while (!over.signal.aborted) {
      try {
        const answer = ExecReply.parse(await messages.request(['agent', machine, 'exec-input'], message, ANSWER_MS));
        if (answer.state !== 'full') return answer.state === 'taken';
      } catch (error) {
        if (!isSlipwayError(error, 'MACHINE_UNREACHABLE', 'STATE_UNAVAILABLE')) throw error;
      }
      await clock.sleep(RETRY_MS, over.signal).catch(() => undefined);
    }
    return false;
  }

  async function sendInput(input: AsyncIterable<Buffer>): Promise<void> {
    let seq = 0;
    for await (const chunk of input) {
      for (let at = 0; at < chunk.length; at += EXEC_PIECE_BYTES) {
        const base64 = chunk.subarray(at, at + EXEC_PIECE_BYTES).toString('base64');
        if (!(await say({ kind: 'input', seq, base64 }))) return;
        seq += 1;
      }
    }
    await say({ kind: 'end-of-input', seq });
  }

  /** Our last answer is on its way before the connection may close: what is asked after it was answered. */
  async function farewell(): Promise<void> {
    await clock.sleep(0);
    await messages.request(['agent', machine, 'ping'], {}, ANSWER_MS).catch(() => {});
  }

  /** Stops the command when the signal says so, and gives up on an agent that fell silent. */
  async function watch(): Promise<Outcome> {
    let stopUntilMs: number | null = null;
    for (;;) {
      await clock.sleep(WATCH_MS, over.signal);
      if (signal.aborted && stopUntilMs === null) {
        stopUntilMs = clock.now() + STOP_MS;
        void say({ kind: 'stop' }).catch(() => {});
      }
      if (unread || (stopUntilMs !== null && clock.now() > stopUntilMs)) return { exitCode: null };
      if (clock.now() - heardAt > EXEC_LOST_AFTER_MS) return { error: silent(machine) };
    }
  }

  try {
    messages.serve(inbox, hear, over.signal);
    const reply = ExecReply.parse(await messages.request(['agent', machine, 'exec'], sign.order(order), BEGIN_MS));
    if (reply.state === 'refused') throw failure(machine, reply);
    heardAt = clock.now();
    deps.onResize((terminal) => void say({ kind: 'resize', terminal }).catch(() => {}));
    if (deps.input !== null) void sendInput(deps.input).catch(() => {});
    const ended = await Promise.race([outcome, watch()]);
    await farewell();
    if (signal.aborted) return null;
    if ('error' in ended) throw ended.error;
    return ended.exitCode;
  } finally {
    over.abort();
  }
}

const NO_MORE: ExecReply = { state: 'refused', code: 'USAGE', message: 'nobody reads any more' };

type Outcome = { readonly exitCode: number | null } | { readonly error: SlipwayError };

function silent(machine: string): SlipwayError {
  return new SlipwayError(
    'MACHINE_UNREACHABLE',
    `the agent of ${machine} has said nothing for ${EXEC_LOST_AFTER_MS / 1000} s; it ends the command when it notices, or when it starts again`,
  );
}

function failure(
  machine: string,
  { code, message }: { readonly code: string; readonly message: string },
): SlipwayError {
  return new SlipwayError(code in ERRORS ? (code as ErrorCode) : 'STEP_REFUSED', `${machine}: ${message}`);
}
