/** Which service of which namespace a command means: by name, by namespace/name, or by a hostname that it holds. Pure. */
import { routeHost } from '../../routing/normalise.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import type { NamespaceName, ServiceName } from '../../schemas/names.ts';
import type { Release } from '../../schemas/release.ts';

export interface Located {
  readonly namespace: NamespaceName;
  readonly service: ServiceName;
}

/** `name` may be `namespace/name`. A namespace that is given need not exist yet, nor the service in it. */
export interface Wanted {
  readonly name: string | null;
  readonly namespace: string | null;
  readonly hostname: string | null;
}

/** @param live the live releases of all namespaces @throws USAGE, with what there is */
export function locate(wanted: Wanted, live: readonly Release[]): Located {
  const { name, namespace } = named(wanted);
  if (name === null) return holderOf(wanted.hostname, namespace, live);
  if (namespace !== null) return { namespace, service: name };
  const having = live.filter((it) => Object.hasOwn(it.services, name)).map((it) => it.namespace);
  const [only] = having;
  if (having.length === 1 && only !== undefined) return { namespace: only, service: name };
  if (having.length > 1)
    throw usage(`${having.length} namespaces have a service ${name} (${list(having)}): say which with --namespace`);
  throw usage(`no namespace has a service ${name}; say where it belongs with --namespace. ${inventory(live)}`);
}

function named({ name, namespace }: Wanted): Pick<Wanted, 'name' | 'namespace'> {
  if (name === null || !name.includes('/')) return { name, namespace };
  const [first = '', second = '', ...rest] = name.split('/');
  if (rest.length > 0 || first === '' || second === '') throw usage(`${name} is neither NAME nor NAMESPACE/NAME`);
  if (namespace !== null && namespace !== first)
    throw usage(`${name} is in namespace ${first}, but --namespace says ${namespace}`);
  return { name: second, namespace: first };
}

function holderOf(hostname: string | null, namespace: string | null, live: readonly Release[]): Located {
  if (hostname === null) throw usage(`name a service, or the --host that it answers for. ${inventory(live)}`);
  const holders = live
    .filter((it) => namespace === null || it.namespace === namespace)
    .flatMap((it) =>
      it.routes
        .filter(({ route }) => route.kind === 'http' && routeHost(route.hostname) === routeHost(hostname))
        .map(({ service }) => `${it.namespace}/${service}`),
    );
  const [only, ...others] = [...new Set(holders)].toSorted();
  const where = namespace === null ? '' : ` in ${namespace}`;
  if (only === undefined)
    throw usage(`no service${where} answers for ${hostname}; name the one that shall. ${inventory(live)}`);
  if (others.length > 0) throw usage(`${list([only, ...others])} answer for paths of ${hostname}: name one of them`);
  const [holder = '', service = ''] = only.split('/');
  return { namespace: holder, service };
}

/** @throws UNKNOWN_NAMESPACE, UNKNOWN_SERVICE unless the service is live */
export function requireLive(located: Located, live: readonly Release[]): void {
  const { namespace, service } = located;
  const release = live.find((it) => it.namespace === namespace);
  if (release === undefined)
    throw new SlipwayError('UNKNOWN_NAMESPACE', `no namespace ${namespace} is live. ${inventory(live)}`);
  if (Object.hasOwn(release.services, service)) return;
  const names = Object.keys(release.services).toSorted();
  throw new SlipwayError('UNKNOWN_SERVICE', `${namespace} has no service ${service}; it has ${list(names) || 'none'}`);
}

function inventory(live: readonly Release[]): string {
  const rows = live.map((it) => `${it.namespace} (${list(Object.keys(it.services).toSorted()) || 'no services'})`);
  return rows.length === 0 ? 'Nothing is live yet.' : `There are ${list(rows)}.`;
}

const SHOWN = 10;

function list(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).join(', ');
  return names.length > SHOWN ? `${shown} and ${names.length - SHOWN} more` : shown;
}

function usage(message: string): SlipwayError {
  return new SlipwayError('USAGE', message);
}
