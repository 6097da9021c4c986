/** Answers one message: reads it, decides, waits or forwards where needed, and gives the bytes to send back. */
import type { Logger } from '../../schemas/logger.ts';
import { until } from '../waiting.ts';
import { type Decision, decide, sample } from './decide.ts';
import type { Forward, Transport } from './forward.ts';
import type { Caller, NameIndex } from './snapshot.ts';
import type { SnapshotFile } from './snapshot-file.ts';
import { addressReply, emptyReply, parseQuery, type Query, textReply } from './wire.ts';

/** The host asks this (class CH, type TXT) for the digest of the snapshot that answers come from. */
export const DIGEST_NAME = 'snapshot.slipway';

const ADDRESSES_MAX = 20;
const TCP_BYTES_MAX = 65_535;
const WAITING_MAX = 1000;

export interface ResolverDeps {
  readonly snapshot: Pick<SnapshotFile, 'current' | 'subscribe'>;
  readonly forward: Forward;
  readonly random: () => number;
  readonly log: Logger;
  /** How long a query of an unknown container is held for its namespace to become known. */
  readonly patienceMs?: number;
}

/** The reply to a message from `address`; null when there must be none. Never throws. */
export type Resolve = (message: Buffer, address: string, transport: Transport) => Promise<Buffer | null>;

/** Binds the rules of `decide` to a snapshot and to upstream servers. */
export function createResolver(deps: ResolverDeps): Resolve {
  const { snapshot, forward, random, log, patienceMs = 1000 } = deps;
  let waiting = 0;

  async function answer(query: Query, address: string, transport: Transport): Promise<Buffer> {
    const caller = snapshot.current().caller(address);
    if (query.class !== 'IN') return special(query, caller, snapshot.current());
    const decision = await decided(query.name, address);
    switch (decision.kind) {
      case 'addresses':
        return query.type === 'A' || query.type === 'ANY'
          ? addressReply(
              query,
              sample(decision.addresses, ADDRESSES_MAX, random),
              transport === 'udp' ? query.udpBytes : TCP_BYTES_MAX,
            )
          : emptyReply(query, 'NOERROR');
      case 'no-such-name':
        return emptyReply(query, 'NXDOMAIN');
      case 'wait':
        return emptyReply(query, 'SERVFAIL');
      case 'forward':
        return (await forward(query, transport)) ?? emptyReply(query, 'SERVFAIL');
    }
  }

  /** `wait` only when the asker is still unknown at the end of our patience. */
  async function decided(name: string, address: string): Promise<Decision> {
    const now = (): Decision => decide(snapshot.current(), snapshot.current().caller(address), name);
    const first = now();
    if (first.kind !== 'wait' || waiting >= WAITING_MAX) return first;
    waiting += 1;
    const known = () => {
      const decision = now();
      return decision.kind === 'wait' ? undefined : decision;
    };
    try {
      return await until(known, snapshot.subscribe, patienceMs, AbortSignal.timeout(patienceMs)).catch(() => first);
    } finally {
      waiting -= 1;
    }
  }

  return async (message, address, transport) => {
    const parsed = parseQuery(message);
    if (parsed.kind === 'refused') return parsed.reply;
    try {
      return await answer(parsed.query, address.replace(/^::ffff:/, ''), transport);
    } catch (error) {
      log.error({ err: error }, 'query not answered');
      return emptyReply(parsed.query, 'SERVFAIL');
    }
  };
}

/** Other classes than IN: only the host is told anything. */
function special(query: Query, caller: Caller, index: NameIndex): Buffer {
  const asked = query.class === 'CH' && query.type === 'TXT' && query.name === DIGEST_NAME;
  return asked && caller.kind !== 'member' ? textReply(query, index.digest) : emptyReply(query, 'REFUSED');
}
