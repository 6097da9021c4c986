/**
 * The log: the immutable history of every namespace, and the only writer of it. An entry is appended by creating its
 * number; whoever creates it has won that number for ever. An append whose reply was lost is resolved by reading the
 * number: ours, another's, or nobody's yet, in which case the same number is tried again with the same bytes.
 */
import { canonicalJson } from '../schemas/canonical.ts';
import { isSlipwayError, SlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import { LogEntry, type Release } from '../schemas/release.ts';
import { packText, unpackText } from './body.ts';
import { decodeKey, encodeKey } from './encode.ts';
import { follow } from './follow.ts';
import type { Patience } from './patience.ts';
import type { AppendOutcome, Log } from './port.ts';
import type { LogTable, Message } from './table.ts';

export interface LogDeps {
  readonly table: LogTable;
  readonly patiently: Patience;
  readonly watchCheckMs: number;
  readonly log: Logger;
}

/** The log over a table. */
export function createLog({ table, patiently, watchCheckMs, log }: LogDeps): Log {
  const textAt = async (namespace: string, n: number) => {
    const message = await table.last(entryKey(namespace, n));
    return message === null ? null : await unpackText(message.body);
  };
  const tipNow = async (namespace: string) => {
    const newest = await table.lastUnder(encodeKey([namespace]));
    return newest === null ? 0 : place(newest).n;
  };
  const tip = (namespace: string) => patiently(() => tipNow(namespace));

  async function read(namespace: string, n: number): Promise<LogEntry | null> {
    const text = await patiently(() => textAt(namespace, n));
    return text === null ? null : parse(text);
  }

  async function append(entry: LogEntry, signal?: AbortSignal): Promise<AppendOutcome> {
    const { namespace, n } = LogEntry.parse(entry);
    const text = canonicalJson(entry);
    const body = await packText(text, 'always');

    /** What number n says about our entry; null: nobody has it. */
    async function verdict(): Promise<AppendOutcome | null> {
      const found = await textAt(namespace, n);
      if (found === null) return null;
      return found === text ? { outcome: 'committed' } : { outcome: 'lost', winner: parse(found) };
    }

    async function attempt(): Promise<AppendOutcome> {
      const highest = await tipNow(namespace);
      if (highest < n - 1) throw new Error(`entry ${n} of ${namespace} would leave a gap after ${highest}`);
      if (highest < n) {
        try {
          await table.appendEntry(entryKey(namespace, n), body);
          return { outcome: 'committed' };
        } catch (error) {
          if (!isSlipwayError(error, 'STATE_CONFLICT', 'STATE_UNAVAILABLE', 'STATE_FULL')) throw error;
          log.warn({ namespace, n, code: error.code }, 'an append to the log was not acknowledged; reading it back');
          const outcome = await verdict();
          if (outcome !== null) return outcome;
          throw isSlipwayError(error, 'STATE_CONFLICT') ? notYetReadable(namespace, n, error) : error;
        }
      }
      const outcome = await verdict();
      if (outcome === null) throw notYetReadable(namespace, n);
      return outcome;
    }

    return await patiently(attempt, { forMs: Number.POSITIVE_INFINITY, signal });
  }

  async function entries(namespace: string, range: { from?: number; to?: number } = {}): Promise<LogEntry[]> {
    const from = range.from ?? 1;
    const to = Math.min(range.to ?? Number.POSITIVE_INFINITY, await tip(namespace));
    const numbers = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
    const found = await Promise.all(numbers.map((n) => read(namespace, n)));
    return found.map((entry, i) => {
      if (entry === null) throw new Error(`the log of ${namespace} has no entry ${from + i} below its tip`);
      return entry;
    });
  }

  async function live(namespace: string): Promise<Release | null> {
    for (let n = await tip(namespace); n >= 1; n--) {
      const entry = await read(namespace, n);
      if (entry?.kind === 'removed') return null;
      if (entry?.kind === 'release') return entry;
    }
    return null;
  }

  async function namespaces(): Promise<string[]> {
    const firsts = await patiently(() => table.keys('*.1'));
    return firsts.map((key) => decodeKey(key)[0] ?? '').toSorted();
  }

  async function watch(onTip: (namespace: string, n: number) => void, signal: AbortSignal): Promise<void> {
    const tips = new Map<string, number>();
    const seen = (namespace: string, n: number) => {
      if (n <= (tips.get(namespace) ?? 0)) return;
      tips.set(namespace, n);
      onTip(namespace, n);
    };
    await follow(
      { table, patiently, checkMs: watchCheckMs, log, headersOnly: true },
      {
        async present() {
          const names = await namespaces();
          const present = await Promise.all(names.map(async (name) => [name, await tip(name)] as const));
          for (const [namespace, n] of present) seen(namespace, n);
        },
        changed(message) {
          const { namespace, n } = place(message);
          seen(namespace, n);
        },
      },
      signal,
    );
  }

  return { append, read, tip, entries, live, namespaces, watch };
}

function entryKey(namespace: string, n: number): string {
  return encodeKey([namespace, String(n)]);
}

function place(message: Message): { namespace: string; n: number } {
  const [namespace = '', n = ''] = decodeKey(message.key);
  return { namespace, n: Number(n) };
}

/** `(kind, deploy, content)` are all in the canonical text, so equal texts are the same entry. */
function parse(text: string): LogEntry {
  return LogEntry.parse(JSON.parse(text));
}

function notYetReadable(namespace: string, n: number, cause?: unknown): SlipwayError {
  return new SlipwayError('STATE_UNAVAILABLE', `entry ${n} of ${namespace} cannot be read back yet`, {}, cause);
}
