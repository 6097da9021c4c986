/** What a name means to who asks for it. Pure: the rules of the resolver, without its sockets. */
import type { Caller, NameIndex } from './snapshot.ts';

/** The domain under which names can never be mistaken for ones of the internet. */
const DOMAIN = 'slipway';
/** Addresses of all overlays; nobody upstream knows their names. */
const REVERSE_ZONES = ['210.10.in-addr.arpa', '211.10.in-addr.arpa'];

/**
 * `wait`: ask again when it is known who asks; saying "no such name" to a container in its first moments would be
 * believed. `forward`: not ours.
 */
export type Decision =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'no-such-name' }
  | { readonly kind: 'wait' }
  | { readonly kind: 'forward' };

const NO_SUCH_NAME: Decision = { kind: 'no-such-name' };

/**
 * - `db`: the service of the asker's own namespace. Single labels never leave the machine.
 * - `db.production.slipway`: that service, for its own namespace and for the host; never forwarded.
 * - `db.production`: the same while there is such a service; otherwise forwarded, since `dev` or `app` may be a
 *   namespace here and a top-level domain elsewhere.
 */
export function decide(index: NameIndex, caller: Caller, name: string): Decision {
  const labels = name.split('.');
  const [service = '', namespace = ''] = labels;
  if (labels.at(-1) === DOMAIN && labels.length > 1) {
    return labels.length === 3 ? lookUp(index, caller, namespace, service) : NO_SUCH_NAME;
  }
  if (REVERSE_ZONES.some((zone) => name === zone || name.endsWith(`.${zone}`))) return NO_SUCH_NAME;
  if (labels.length === 1 && service !== '') return single(index, caller, service);
  if (labels.length === 2 && index.addresses(namespace, service) !== null) {
    return lookUp(index, caller, namespace, service);
  }
  return { kind: 'forward' };
}

function single(index: NameIndex, caller: Caller, service: string): Decision {
  if (caller.kind === 'unknown') return { kind: 'wait' };
  return caller.kind === 'host' ? NO_SUCH_NAME : lookUp(index, caller, caller.namespace, service);
}

function lookUp(index: NameIndex, caller: Caller, namespace: string, service: string): Decision {
  if (caller.kind === 'unknown') return { kind: 'wait' };
  if (caller.kind === 'member' && caller.namespace !== namespace) return NO_SUCH_NAME;
  const addresses = index.addresses(namespace, service);
  return addresses === null ? NO_SUCH_NAME : { kind: 'addresses', addresses };
}

/** At most `count` of the values in random order; `random` gives numbers of [0, 1). */
export function sample<T>(values: readonly T[], count: number, random: () => number): T[] {
  const pool = [...values];
  for (let i = 0; i < Math.min(count, pool.length); i += 1) {
    const other = i + Math.floor(random() * (pool.length - i));
    [pool[i], pool[other]] = [pool[other] as T, pool[i] as T];
  }
  return pool.slice(0, count);
}
