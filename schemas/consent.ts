/** Consents, approvals and freezes: what people said yes or no to, kept until it was used or is over. */
import { z } from 'zod';
import { PullNumber } from './forge.ts';
import { DeployId, Digest, NamespaceName } from './names.ts';

/** `consent`: to what a plan takes away or brings back. `approval`: to any plan of a namespace that wants one. */
export const AgreementKind = z.enum(['consent', 'approval']);
export type AgreementKind = z.infer<typeof AgreementKind>;

/** A plan that was refused for want of an agreement; written again each time that happens. */
export const Pending = z.strictObject({
  plan: Digest,
  namespace: NamespaceName,
  needs: z.array(AgreementKind).min(1),
  /** Why, as sentences. */
  reasons: z.array(z.string()),
  summary: z.string(),
  desiredDigest: Digest,
  /** The release that the plan starts from; null: none. */
  release: z.int().min(1).nullable(),
  at: z.iso.datetime(),
  by: z.string(),
  /** Id of the forge's user who asked; absent: the controller did, or somebody with an operator key. */
  forgeUser: z.int().optional(),
});
export type Pending = z.infer<typeof Pending>;

/** An agreement to exactly one plan over exactly one release; good for one deploy. */
export const Consent = z.strictObject({
  kind: AgreementKind,
  plan: Digest,
  namespace: NamespaceName,
  release: z.int().min(1).nullable(),
  by: z.string(),
  why: z.string(),
  at: z.iso.datetime(),
  /** The deploy that took it; null: nobody did yet. */
  used: z.strictObject({ deploy: DeployId, at: z.iso.datetime() }).nullable(),
  /**
   * Given in a comment of a pull request: what its author may do is looked up again when it is taken. Absent: given with
   * an operator key.
   */
  forge: z.strictObject({ login: z.string(), userId: z.int(), pull: PullNumber, comment: z.int() }).optional(),
});
export type Consent = z.infer<typeof Consent>;

/** Nothing is deployed in its scope (`*`: nowhere) before `until`, or before somebody lifts it. */
export const Freeze = z.strictObject({
  scope: z.union([NamespaceName, z.literal('*')]),
  by: z.string(),
  why: z.string(),
  at: z.iso.datetime(),
  until: z.iso.datetime().nullable(),
});
export type Freeze = z.infer<typeof Freeze>;
