/**
 * `agent.<machine>.known` { part } → one part of what the journal knows of the log: for `slipway store rebuild`, when
 * the log itself is lost. No secrets are in it.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { canonicalJson } from '../schemas/canonical.ts';
import { type Known, KnownQuestion } from '../schemas/known.ts';
import type { Messages } from '../store/port.ts';
import type { Journal } from './journal.ts';

/** In base64 with room to spare below the 1 MiB of a message. */
const PART_BYTES = 512 * 1024;

export interface KnownDeps {
  readonly machine: string;
  readonly messages: Pick<Messages, 'serve'>;
  readonly journal: Pick<Journal, 'namespaces' | 'view' | 'spec'>;
}

/** Answers until the signal aborts. `sha256` tells whoever asks that all parts are of one moment. */
export function serveKnown({ machine, messages, journal }: KnownDeps, signal: AbortSignal): void {
  messages.serve(
    ['agent', machine, 'known'],
    async (payload) => {
      const { part } = KnownQuestion.parse(payload);
      const bytes = await promisify(gzip)(canonicalJson(knownOf(machine, journal)));
      return {
        parts: Math.ceil(bytes.length / PART_BYTES),
        base64: bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES).toString('base64'),
        sha256: createHash('sha256').update(bytes).digest('hex'),
      };
    },
    signal,
  );
}

function knownOf(machine: string, journal: KnownDeps['journal']): Known {
  const views = journal.namespaces().map((it) => journal.view(it));
  const digests = views.flatMap(({ live }) =>
    live === null ? [] : [...Object.values(live.services), ...live.slots.map((it) => it.spec)],
  );
  const specs = [...new Set(digests)].map((it) => [it, journal.spec(it)] as const);
  return {
    machine,
    namespaces: views.map(({ namespace, tip, fence, open, live }) => ({
      namespace,
      tip,
      fence,
      open: Object.keys(open),
      live,
    })),
    specs: Object.fromEntries(specs.filter((it): it is [string, NonNullable<(typeof it)[1]>] => it[1] !== null)),
  };
}
