/**
 * What a command prints, on its way to who asked for it: numbered pieces, each sent until it is taken. A reader that is
 * slow makes the command slow; one that is gone ends the wait.
 */
import { isSlipwayError, SlipwayError } from '../../schemas/errors.ts';
import {
  EXEC_ALIVE_EVERY_MS,
  EXEC_LOST_AFTER_MS,
  EXEC_PIECE_BYTES,
  type ExecPiece,
  ExecReply,
  type ExecStream,
} from '../../schemas/exec.ts';
import type { Key, Messages } from '../../store/port.ts';
import { sleep } from '../waiting.ts';

/** Beyond, the command waits. */
const MAX_WAITING_BYTES = 1024 * 1024;
const ANSWER_MS = 2_000;
const RETRY_MS = 100;

type Unnumbered = ExecPiece extends infer P ? (P extends ExecPiece ? Omit<P, 'seq'> : never) : never;

export interface Outbox {
  /** Resolves when there is room for more. */
  add(stream: ExecStream, bytes: Buffer): Promise<void>;
  /** Sends all that waits and, at last, this. */
  finish(last: Unnumbered): Promise<void>;
  /** Sends until `finish` or the signal. @throws MACHINE_UNREACHABLE when the reader is gone, USAGE when it wants no more */
  run(): Promise<void>;
}

export interface OutboxDeps {
  readonly messages: Pick<Messages, 'request'>;
  readonly inbox: Key;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

export function createOutbox({ messages, inbox, now, signal }: OutboxDeps): Outbox {
  const waiting: { stream: ExecStream; bytes: Buffer }[] = [];
  let waitingBytes = 0;
  let last: Unnumbered | null = null;
  let seq = 0;
  /** Nobody reads any more. */
  let closed = false;
  let wakeSender = () => {};
  let wakeWriters: (() => void)[] = [];

  /** Neighbours of one stream become one piece. */
  function takePiece(): Unnumbered {
    const stream = waiting[0]?.stream ?? 'stdout';
    const parts: Buffer[] = [];
    let room = EXEC_PIECE_BYTES;
    for (let it = waiting[0]; it !== undefined && it.stream === stream && room > 0; it = waiting[0]) {
      const bytes = it.bytes.subarray(0, room);
      parts.push(bytes);
      room -= bytes.length;
      if (bytes.length === it.bytes.length) waiting.shift();
      else waiting[0] = { stream, bytes: it.bytes.subarray(bytes.length) };
    }
    waitingBytes -= EXEC_PIECE_BYTES - room;
    return { kind: 'output', stream, base64: Buffer.concat(parts).toString('base64') };
  }

  async function send(piece: Unnumbered): Promise<void> {
    let heardAt = now();
    while (!signal.aborted) {
      try {
        const answer = ExecReply.parse(await messages.request(inbox, { ...piece, seq }, ANSWER_MS));
        if (answer.state === 'taken') break;
        if (answer.state === 'refused') throw new SlipwayError('USAGE', answer.message);
        heardAt = now();
      } catch (error) {
        if (!isSlipwayError(error, 'MACHINE_UNREACHABLE', 'STATE_UNAVAILABLE')) throw error;
        if (now() - heardAt > EXEC_LOST_AFTER_MS) throw error;
      }
      await sleep(RETRY_MS, signal);
    }
    seq += 1;
  }

  return {
    async add(stream, bytes) {
      if (closed) return;
      waiting.push({ stream, bytes });
      waitingBytes += bytes.length;
      wakeSender();
      if (waitingBytes > MAX_WAITING_BYTES && !signal.aborted)
        await new Promise<void>((resolve) => wakeWriters.push(resolve));
    },
    async finish(piece) {
      last = piece;
      wakeSender();
    },
    async run() {
      signal.addEventListener('abort', wakeAll, { once: true });
      try {
        while (!signal.aborted) {
          if (waiting.length > 0) await send(takePiece());
          else if (last !== null) return await send(last);
          else if (!(await woken())) await send({ kind: 'alive' });
          if (waitingBytes <= MAX_WAITING_BYTES) wakeAll();
        }
      } finally {
        closed = true;
        wakeAll();
        signal.removeEventListener('abort', wakeAll);
      }
    },
  };

  function wakeAll(): void {
    wakeSender();
    const writers = wakeWriters;
    wakeWriters = [];
    for (const it of writers) it();
  }

  /** false: nothing came within the time after which a sign of life is due. */
  async function woken(): Promise<boolean> {
    return await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), EXEC_ALIVE_EVERY_MS);
      wakeSender = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}
