/**
 * Hostnames of a fork. They come from the pattern of slipway.toml and from nothing else: whatever a manifest asks for, a
 * fork answers for names that the pattern makes. Pure.
 */
import type { PullNumber } from '../../schemas/forge.ts';
import type { NamespaceName, ServiceName } from '../../schemas/names.ts';

export interface HostPattern {
  /** `[previews] host`, such as `{service}-pr-{number}.preview.acme.dev`. */
  readonly pattern: string;
  readonly namespace: NamespaceName;
  /** null: made by hand, `{number}` is the namespace then. */
  readonly number: PullNumber | null;
}

const MAX_LABEL = 63;
const MAX_HOSTNAME = 253;
/** Characters that a pattern leaves for the service: a letter, a hyphen, six digits. */
const LEAST_ROOM = 8;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** What is wrong with the pattern for this fork, as a sentence; null: nothing. */
export function patternProblem({ pattern, namespace, number }: HostPattern): string | null {
  if (pattern === '') return '[previews] host of slipway.toml is not set, so the fork cannot have hostnames';
  const unknown = [...pattern.matchAll(/\{([^{}]*)\}/g)].map((it) => it[1] ?? '').find((it) => !PARTS.has(it));
  if (unknown !== undefined)
    return `[previews] host has {${unknown}}, which means nothing; {service}, {number} and {name} do`;
  if (!/\{(?:number|name)\}/.test(pattern))
    return '[previews] host has neither {number} nor {name}: forks would share it';
  const sample = hostnameOf({ pattern, namespace, number }, 'a'.repeat(LEAST_ROOM), 0);
  const wrong = sample.split('.').find((it) => !LABEL.test(it));
  if (wrong !== undefined) return `[previews] host makes ${JSON.stringify(sample)}, which is not a hostname`;
  return sample.length > MAX_HOSTNAME ? '[previews] host makes a hostname of more than 253 characters' : null;
}

const PARTS: ReadonlySet<string> = new Set(['service', 'number', 'name']);

/**
 * The hostname of a service. `index` counts the hostnames that its manifest has: each becomes one of its own. A name that
 * does not fit into its label is cut, with digits that keep it distinct; what the pattern says is never cut.
 */
export function hostnameOf({ pattern, namespace, number }: HostPattern, service: ServiceName, index: number): string {
  // Without {service} several services would have the same name.
  const whole = pattern.includes('{service}') ? pattern : `{service}-${pattern}`;
  const fixed: Record<string, string> = {
    number: number === null ? safe(namespace) : String(number),
    name: safe(namespace),
  };
  const name = index === 0 ? safe(service) : `${safe(service)}-${index + 1}-${digitsOf(`${service} ${index}`)}`;
  const labels = whole.toLowerCase().split('.');
  return labels
    .map((label) => {
      const rest = label.replaceAll(/\{(number|name)\}/g, (_, part: string) => fixed[part] ?? '');
      const room = MAX_LABEL - rest.replaceAll('{service}', '').length;
      return rest.replaceAll('{service}', fitted(name, room));
    })
    .join('.');
}

/** A name as part of a DNS label: `_` is none of its characters. Names that differ only in that get digits. */
function safe(name: string): string {
  return name.includes('_') ? `${name.replaceAll('_', '-')}-${digitsOf(name)}` : name;
}

function fitted(name: string, room: number): string {
  if (name.length <= room) return name;
  const digits = digitsOf(name);
  return `${name.slice(0, Math.max(1, room - digits.length - 1)).replace(/-+$/, '')}-${digits}`;
}

/** Six digits that differ for different texts (FNV-1a, 32 bits, base 36). */
function digitsOf(text: string): string {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash.toString(36).padStart(7, '0').slice(-6);
}
