/** The assets of the state: streams and KV buckets, with what each keeps and for how long. Data only. */
import type { BucketName } from './port.ts';

/** How long things live and how often they are looked at. Tests use shorter ones. */
export interface StoreTiming {
  /** A lease lives this long after its last renewal. */
  readonly leaseTtlMs: number;
  readonly leaseRenewMs: number;
  /** Without a confirmed renewal for this long a lease counts as lost: before the store lets another in. */
  readonly leaseLostMs: number;
  readonly observedTtlMs: number;
  /** A watch looks this often whether it has missed something. */
  readonly watchCheckMs: number;
  /** A delivery that was handed out is handed out again when nothing was heard of it for so long. */
  readonly deliveryAckMs: number;
  /** A call that fails for want of a connection is tried again for this long. */
  readonly patienceMs: number;
}

export const DEFAULT_TIMING: StoreTiming = {
  leaseTtlMs: 30_000,
  leaseRenewMs: 8_000,
  leaseLostMs: 20_000,
  observedTtlMs: 90_000,
  watchCheckMs: 2_000,
  deliveryAckMs: 10_000,
  patienceMs: 5_000,
};

/** `subjects`: what its keys hang under. `keepEach`: messages kept of one key; null: all. */
export interface Asset {
  readonly stream: string;
  readonly subjects: string;
  readonly storage: 'file' | 'memory';
  readonly keepEach: 1 | null;
  readonly ttlMs: number | null;
  /** A count, not bytes: NATS sets space aside for a limit in bytes, and small disks do not have it. */
  readonly maxMessages: number | null;
  /** Nothing can be taken out of it, by anybody. */
  readonly immutable: boolean;
}

export type AssetName = 'log' | 'specs' | 'events' | 'hooks' | 'leases' | BucketName;

const DAY_MS = 86_400_000;
const MAX_EVENTS = 200_000;
/** A sender can repeat what failed for three days (GitHub: "Redelivering webhooks"). */
const HOOKS_TTL_MS = 3 * DAY_MS;
const MAX_HOOKS = 100_000;

/** Every asset; `log` and `specs` are the history and are never trimmed. */
export function assetsOf(timing: StoreTiming): Record<AssetName, Asset> {
  const history = { storage: 'file', keepEach: null, ttlMs: null, maxMessages: null, immutable: true } as const;
  return {
    log: { stream: 'LOG', subjects: 'log', ...history },
    specs: { stream: 'SPECS', subjects: 'specs', ...history },
    events: {
      stream: 'EVENTS',
      subjects: 'events',
      storage: 'file',
      keepEach: null,
      ttlMs: 30 * DAY_MS,
      maxMessages: MAX_EVENTS,
      immutable: false,
    },
    hooks: {
      stream: 'HOOKS',
      subjects: 'hooks',
      storage: 'file',
      keepEach: null,
      ttlMs: HOOKS_TTL_MS,
      maxMessages: MAX_HOOKS,
      immutable: false,
    },
    leases: bucket('leases', { ttlMs: timing.leaseTtlMs }),
    observed: bucket('observed', { ttlMs: timing.observedTtlMs, storage: 'memory' }),
    cluster: bucket('cluster'),
    deploys: bucket('deploys'),
    machines: bucket('machines'),
    namespaces: bucket('namespaces'),
    secrets: bucket('secrets'),
    intents: bucket('intents'),
    cursors: bucket('cursors'),
    heads: bucket('heads'),
    consents: bucket('consents'),
    freezes: bucket('freezes'),
    pulls: bucket('pulls'),
    previews: bucket('previews'),
    commands: bucket('commands'),
  };
}

/** First names of subjects that belong to streams: messages must not use them. */
export const RESERVED_SUBJECTS: readonly string[] = ['log', 'specs', 'events', 'hooks'];

/** Named as the `nats kv` tool expects (ADR-8 of nats-architecture-and-design), so that it can be used to look. */
function bucket(name: string, own: Partial<Pick<Asset, 'ttlMs' | 'storage'>> = {}): Asset {
  return {
    stream: `KV_${name}`,
    subjects: `$KV.${name}`,
    storage: 'file',
    keepEach: 1,
    ttlMs: null,
    maxMessages: null,
    immutable: false,
    ...own,
  };
}
