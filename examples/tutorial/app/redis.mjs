/** One connection to Redis: commands in order, connected again whenever it breaks. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { decode, encode, RedisError } from './resp.mjs';

const RETRY_MS = 250;

/** @typedef {import('./resp.mjs').Answer} Answer */
/** @typedef {{ resolve: (answer: Answer) => void, reject: (error: Error) => void }} Waiting */

/**
 * @typedef {object} Redis
 * @property {(...words: (string | number)[]) => Promise<Answer>} send waits for a connection up to `patienceMs`; a
 *   command whose answer was lost is not sent again, because it may have been carried out
 * @property {() => string | null} trouble why there is no connection now; null: there is one
 * @property {() => void} close
 */

/**
 * Connects, and says what went wrong to `say` as often as it changes.
 *
 * @param {{ host: string, port: number, password: string, patienceMs: number, say: (line: string) => void }} given
 * @returns {Redis}
 */
export function openRedis({ host, port, password, patienceMs, say }) {
  /** @type {import('node:net').Socket | null} logged in */
  let socket = null;
  /** @type {Waiting[]} whose answers are still to come, oldest first */
  let waiting = [];
  let trouble = 'not connected yet';
  let closed = false;

  /** @param {string} reason */
  function broken(reason) {
    socket = null;
    for (const it of waiting) it.reject(new Error(`the database went away: ${reason}`));
    waiting = [];
    if (reason !== trouble && !closed) say(`database ${host}:${port}: ${reason}`);
    trouble = reason;
  }

  /** Lives as long as the connection. */
  async function session() {
    const attempt = connect({ host, port });
    let bytes = Buffer.alloc(0);
    let reason = 'connection closed';
    attempt.on('data', (piece) => {
      bytes = Buffer.concat([bytes, piece]);
      for (let it = decode(bytes); it !== null; it = decode(bytes)) {
        bytes = bytes.subarray(it.next);
        const asker = waiting.shift();
        if (it.answer instanceof RedisError) asker?.reject(it.answer);
        else asker?.resolve(it.answer);
      }
    });
    const over = new Promise((resolve) => {
      attempt.on('error', (error) => (reason = error.message)).once('close', resolve);
    });
    write(attempt, ['AUTH', password]).then(
      () => {
        socket = attempt;
        trouble = '';
        say(`database ${host}:${port}: connected`);
      },
      (error) => {
        reason = error.message;
        attempt.destroy();
      },
    );
    await over;
    broken(reason);
  }

  /** @param {import('node:net').Socket} to @param {readonly (string | number)[]} words @returns {Promise<Answer>} */
  function write(to, words) {
    return new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      to.write(encode(words));
    });
  }

  async function keepConnected() {
    while (!closed) {
      await session();
      await sleep(RETRY_MS);
    }
  }

  void keepConnected();
  return {
    async send(...words) {
      const deadlineMs = performance.now() + patienceMs;
      while (socket === null) {
        if (closed || performance.now() > deadlineMs) throw new Error(`no database: ${trouble}`);
        await sleep(20);
      }
      return await write(socket, words);
    },
    trouble: () => (socket === null ? trouble : null),
    close() {
      closed = true;
      socket?.destroy();
    },
  };
}
