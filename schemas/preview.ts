/** Records of previews and of prepared forks, in bucket `previews`. */
import { z } from 'zod';
import { PullNumber } from './forge.ts';
import { NamespaceInventory } from './inventory.ts';
import { Digest, NamespaceName, Revision } from './names.ts';
import { ReleaseRef } from './release.ts';
import { Desired, ImageRef } from './service.ts';

/** The preview of one pull request; key: its namespace. */
export const PreviewRecord = z.strictObject({
  namespace: NamespaceName,
  pull: PullNumber,
  source: NamespaceName,
  forkedFrom: ReleaseRef.nullable(),
  head: Revision,
  revision: Revision,
  /** What it is to be. */
  desiredDigest: Digest,
  state: z.enum(['wanted', 'removing', 'removed']),
  /** Why it goes, or went; what it does otherwise than its source while it is wanted. */
  why: z.string(),
  startedAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  /** What machines had of it when its removal began; null: not asked, or not all of them answered. */
  before: NamespaceInventory.nullable(),
  hostnames: z.array(z.string()),
  /** What the last look for what is left of it found, as a sentence. */
  proof: z.string(),
});
export type PreviewRecord = z.infer<typeof PreviewRecord>;

/** A fork whose plan somebody looked at and may carry out later; key: `prepared`, its plan id. */
export const PreparedFork = z.strictObject({
  plan: Digest,
  namespace: NamespaceName,
  source: NamespaceName,
  desired: Desired,
  images: z.record(z.string(), ImageRef),
  forkedFrom: ReleaseRef,
  /** What it started from: carried out only while that is the same. */
  basis: z.strictObject({ tip: z.int(), release: z.int().nullable(), desiredDigest: Digest }),
  summary: z.string(),
  by: z.string(),
  at: z.iso.datetime(),
});
export type PreparedFork = z.infer<typeof PreparedFork>;
