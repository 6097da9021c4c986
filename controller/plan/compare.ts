/** What differs between two plans of a namespace, as sentences: why an approval of the one is none of the other. Pure. */
import type { FieldChange, Plan } from '../../schemas/plan.ts';
import { type ServiceSpec, specDigest } from '../../schemas/service.ts';
import { heading } from './describe.ts';
import { compareSpecs } from './diff.ts';
import { ENV_PREFIX } from './fields.ts';
import { byText } from './order.ts';

/** More than a person reads; how many more there are is said. */
const MOST = 20;

/**
 * Sentences in order of importance, at most 21; empty: the same effect over the same release. Values of the environment
 * are not in them. The words come from manifests: whoever shows them escapes them.
 */
export function difference(before: Plan, after: Plan): string[] {
  if (before.id === after.id && before.basis.release === after.basis.release) return [];
  const found = [
    ...basisSentences(before, after),
    ...serviceSentences(before, after),
    ...listSentences(before, after),
    ...downtimeSentences(before, after),
  ];
  if (found.length === 0) return ['The order or the makeup of the phases differs.'];
  return found.length <= MOST ? found : [...found.slice(0, MOST), `And ${found.length - MOST} more differences.`];
}

function basisSentences(before: Plan, after: Plan): string[] {
  const text = (n: number | null) => (n === null ? 'nothing' : `release #${n}`);
  const [from, to] = [before.basis.release, after.basis.release];
  return [
    ...(before.kind === after.kind ? [] : [`It is another kind of plan: ${heading(before)}, now ${heading(after)}.`]),
    ...(from === to ? [] : [`It starts from ${text(to)}; the other started from ${text(from)}.`]),
  ];
}

function serviceSentences(before: Plan, after: Plan): string[] {
  const [was, is] = [byName(before), byName(after)];
  return [...new Set([...was.keys(), ...is.keys()])].toSorted(byText).flatMap((name) => {
    const [then, now] = [was.get(name), is.get(name)];
    if (then === undefined) return [`Service ${name} is in it now.`];
    if (now === undefined) return [`Service ${name} is no longer in it.`];
    if (specDigest(then) === specDigest(now)) return actionSentences(before, after, name);
    return compareSpecs(then, now).fields.map((it) => `Service ${name}: ${fieldText(it)}.`);
  });
}

/** The same service in the end, but another way there: created instead of updated, and so on. */
function actionSentences(before: Plan, after: Plan, name: string): string[] {
  const kindIn = (plan: Plan) => plan.changes.find((it) => it.service === name)?.kind ?? 'unchanged';
  const [was, is] = [kindIn(before), kindIn(after)];
  return was === is ? [] : [`Service ${name}: ${is} instead of ${was}.`];
}

/** Removals, jobs and volumes: what one plan does and the other does not. */
function listSentences(before: Plan, after: Plan): string[] {
  const lists = [
    ['removes service', (plan: Plan) => plan.changes.flatMap((it) => (it.kind === 'remove' ? [it.service] : []))],
    ['runs job', (plan: Plan) => stepsOf(plan).flatMap((it) => (it.verb === 'job' ? [it.service] : []))],
    [
      'makes volume',
      (plan: Plan) =>
        stepsOf(plan).flatMap((it) => (it.verb === 'volume' ? [`${it.volume.name} on ${it.machine}`] : [])),
    ],
  ] as const;
  return lists.flatMap(([what, of]) => {
    const [was, is] = [new Set(of(before)), new Set(of(after))];
    return [
      ...[...is].filter((it) => !was.has(it)).map((it) => `It ${what} ${it} now.`),
      ...[...was].filter((it) => !is.has(it)).map((it) => `It no longer ${what} ${it}.`),
    ];
  });
}

function downtimeSentences(before: Plan, after: Plan): string[] {
  const away = ({ downtime }: Plan) => downtime.services.map((it) => it.service).toSorted(byText);
  const [was, is] = [away(before), away(after)];
  if (was.join() === is.join()) return [];
  return [is.length === 0 ? 'Nothing is away during it now.' : `Away during it now: ${is.join(', ')}.`];
}

function fieldText({ path, before, after }: FieldChange): string {
  return path.startsWith(ENV_PREFIX) ? `${path} differs` : `${path} is ${after}, was ${before}`;
}

function byName(plan: Plan): Map<string, ServiceSpec> {
  return new Map(plan.services.map((it) => [it.name, it]));
}

function stepsOf(plan: Plan) {
  return plan.phases.flatMap((it) => it.steps);
}
