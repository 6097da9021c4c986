/**
 * Diff: what has to change so that the fleet runs what a commit says.
 *
 * Compares with the latest release, not with what runs: a crashed container is drift, not a change. Pure, so the
 * preview on a pull request and the plan run after its merge cannot disagree about the same inputs.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ServiceName } from '../../schemas/names.ts';
import type { Change, FieldChange } from '../../schemas/plan.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
import { type Disruption, type Field, SERVICE_FIELDS, TEMPLATE_FIELDS } from './fields.ts';
import type { Live } from './live.ts';
import { byText, groupBy } from './order.ts';
import type { Pinned } from './pin.ts';
import type { Transition } from './transitions.ts';

const ABSENT = 'none';

/**
 * Compare the services of one namespace.
 *
 * @param transitions what happens to the slots; a slot that is replaced or moved though no field says so is listed
 * @returns one change for each desired and each released service, in order of name; never throws
 */
export function diffServices(args: {
  readonly desired: ReadonlyMap<ServiceName, Pinned>;
  readonly live: Live;
  readonly transitions: readonly Transition[];
}): Change[] {
  const moved = groupBy(args.transitions, (it) => it.service);
  const upserts = [...args.desired.values()].map((after): Change => {
    const service = after.spec.name;
    const before = args.live.services.get(service);
    if (before === undefined) return { kind: 'create', service };
    const slots = moved.get(service) ?? [];
    if (before === after.digest && slots.every((it) => it.kind === 'keep')) return { kind: 'unchanged', service };
    return updated(args.live.specOf(before), after.spec, slots);
  });
  const removals = [...args.live.services.keys()]
    .filter((service) => !args.desired.has(service))
    .map((service): Change => ({ kind: 'remove', service }));
  return [...upserts, ...removals].toSorted((a, b) => byText(a.service, b.service));
}

function updated(before: ServiceSpec, after: ServiceSpec, slots: readonly Transition[]): Change {
  const { fields, disruption } = compareSpecs(before, after);
  const explained = disruption === 'recreate';
  const placed = slots.flatMap((it) => slotChange(it, { explained, global: after.placement.replicaCount === null }));
  const replaces = slots.some((it) => it.kind === 'replace');
  return {
    kind: 'update',
    service: after.name,
    disruption: explained || replaces ? 'recreate' : 'in-place',
    fields: [...fields, ...placed],
  };
}

/** Differing fields in order of path, and the greatest disruption among them. */
export function compareSpecs(
  before: ServiceSpec,
  after: ServiceSpec,
): { readonly fields: readonly FieldChange[]; readonly disruption: Disruption } {
  const service = compareFields(SERVICE_FIELDS, before, after);
  const template = compareFields(TEMPLATE_FIELDS, before.template, after.template);
  const costs = [...service, ...template];
  return {
    fields: costs.flatMap((it) => it.fields).toSorted((a, b) => byText(a.path, b.path)),
    disruption: costs.some((it) => it.disruption === 'recreate') ? 'recreate' : 'in-place',
  };
}

function compareFields<T extends object>(table: Readonly<Record<string, Field<never>>>, before: T, after: T) {
  return Object.entries(table)
    .map(([name, field]) => ({ field: field as Field<unknown>, was: member(before, name), is: member(after, name) }))
    .filter(({ was, is }) => !isDeepStrictEqual(was, is))
    .map(({ field, was, is }) => ({ disruption: field.disruption, fields: compareParts(field, was, is) }));
}

function compareParts(field: Field<unknown>, was: unknown, is: unknown): FieldChange[] {
  const [before, after] = [field.parts(was), field.parts(is)];
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return paths
    .map((path) => ({ path, before: text(before, path), after: text(after, path) }))
    .filter((it) => it.before !== it.after || paths.length === 1);
}

function slotChange(
  { kind, slot, before, after }: Transition,
  { explained, global }: { readonly explained: boolean; readonly global: boolean },
): FieldChange[] {
  const path = `slots.${slot}`;
  const [from, to] = [before?.machine ?? ABSENT, after?.machine ?? ABSENT];
  if (kind === 'replace' && (from !== to || !explained))
    return [{ path, before: `on ${from}`, after: from === to ? 'replaced' : `on ${to}` }];
  if (global && (kind === 'add' || kind === 'drop')) return [{ path, before: from, after: to }];
  return [];
}

function member(record: object, name: string): unknown {
  return (record as Readonly<Record<string, unknown>>)[name];
}

function text(parts: Readonly<Record<string, string>>, path: string): string {
  return Object.hasOwn(parts, path) ? (parts[path] ?? ABSENT) : ABSENT;
}
