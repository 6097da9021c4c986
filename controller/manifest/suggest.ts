/** "Did you mean …?": the nearest of the words that would have been right. Pure. */
import { closest, distance } from 'fastest-levenshtein';

/** `did you mean "…"?`, when a candidate is near enough to be a typing mistake. */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0 || word.length > 64) return undefined;
  // Comparing costs the product of the lengths, and a manifest may hold thousands of wrong words.
  const best = closest(word.toLowerCase(), candidates.slice(0, 500));
  const allowed = Math.max(1, Math.floor(Math.min(word.length, best.length) / 3));
  return distance(word.toLowerCase(), best) <= allowed ? `did you mean "${best}"?` : undefined;
}

/** What other tools call a thing, and what it is called here. */
const FOREIGN: Readonly<Record<string, string>> = {
  '<<': 'merge keys are not read: write the fields out',
  replicas: 'write placement = { replicated = { count = … } }',
  scale: 'write placement = { replicated = { count = … } }',
  count: 'write placement = { replicated = { count = … } }',
  ports: 'ports of the container are service_ports; publish leads host ports to them',
  environment: 'it is called env, in template',
  healthcheck: 'it is called readiness',
  health_check: 'it is called readiness',
  args: 'it is called command, in template',
  domains: 'hostnames stand in routes[].http.hostnames',
  container_name: 'containers get their names from Slipway',
  working_dir: 'set it in the image',
};

/** What helps somebody who wrote a key that is not known where it stands. `known`: the keys of that place. */
export function suggestKey(key: string, known: readonly string[], allPaths: readonly string[]): string | undefined {
  const near = didYouMean(key, known);
  if (near !== undefined) return near;
  if (Object.hasOwn(FOREIGN, key)) return FOREIGN[key];
  const parents = new Set(allPaths.filter((it) => it.endsWith(`.${key}`)).map((it) => it.slice(0, -key.length - 1)));
  const [parent] = parents;
  if (parents.size === 1) return `"${key}" belongs to ${parent}`;
  return known.length > 0 && known.length <= 8 ? `known here: ${known.join(', ')}` : undefined;
}
