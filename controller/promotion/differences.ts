/** What a promotion does not carry along: settings of services that differ between the two namespaces. Pure. */
import type { ServiceName } from '../../schemas/names.ts';
import type { FieldChange } from '../../schemas/plan.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
import { compareSpecs } from '../plan/diff.ts';

export interface Difference {
  readonly service: ServiceName;
  /** `before` is the source's value, `after` the destination's. Environment values are those of git; secrets are versions. */
  readonly fields: readonly FieldChange[];
}

/** Fields of which a promotion is about. */
const PROMOTED = new Set(['image', 'image digest']);

/** Per promoted service what else is different, in order of name; services that are alike are left out. */
export function differencesOf(args: {
  readonly source: ReadonlyMap<ServiceName, ServiceSpec>;
  readonly destination: ReadonlyMap<ServiceName, ServiceSpec>;
  readonly services: readonly ServiceName[];
}): readonly Difference[] {
  return args.services.toSorted().flatMap((service) => {
    const [from, to] = [args.source.get(service), args.destination.get(service)];
    if (from === undefined || to === undefined) return [];
    const fields = compareSpecs(from, to).fields.filter((it) => !PROMOTED.has(it.path));
    return fields.length === 0 ? [] : [{ service, fields }];
  });
}
