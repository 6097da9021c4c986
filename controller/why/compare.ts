/** Git's side of a service against the released one, field by field. Pure. */

import { problemText } from '../../schemas/problem.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
import type { FleetManifests } from '../fleet-manifests.ts';
import { compareSpecs } from '../plan/diff.ts';
import { desiredDigest } from '../reconcile.ts';
import type { GitFacts } from './facts.ts';

/**
 * What a revision says of the service.
 *
 * An image counts as the same while its name is: which digest a tag has now is asked when a plan is made.
 *
 * @param before the released spec; null: not live
 */
export function compareWithGit(args: {
  readonly fleet: FleetManifests;
  readonly namespace: string;
  readonly service: string;
  readonly before: ServiceSpec | null;
  /** The live release came from git, so that git may take it away. */
  readonly managedByGit: boolean;
}): GitFacts {
  const { fleet, namespace, service, before } = args;
  const { revision } = fleet;
  if (fleet.settings === null || fleet.invalid.has(namespace))
    return { kind: 'invalid', revision, problems: fleet.problems.map(problemText) };
  const desired = fleet.desired.find((it) => it.namespace === namespace);
  const digest = desired === undefined ? null : desiredDigest(desired);
  const facts = (kind: Extract<GitFacts, { fields: unknown }>['kind'], fields: GitFields = []) =>
    ({ kind, revision, desiredDigest: digest, fields }) as const;
  if (desired === undefined) return facts(args.managedByGit && before !== null ? 'gone' : 'elsewhere');
  const after = desired.services.find((it) => it.name === service);
  if (after === undefined) return facts(before === null ? 'same' : 'gone');
  if (before === null) return facts('new');
  // What a plan pins is not git's: a new version of a secret is a matter of the loop.
  const { secrets } = before.template;
  const { lockedImage: image = before.template.image, ...rest } = after;
  const pins = secrets === undefined ? { image } : { image, secrets };
  const pinned: ServiceSpec = { ...rest, template: { ...after.template, ...pins } };
  const { fields } = compareSpecs(before, pinned);
  return facts(fields.length === 0 ? 'same' : 'differs', fields);
}

type GitFields = Extract<GitFacts, { fields: unknown }>['fields'];
