/** What an agent's journal still knows of the log: asked when the state is rebuilt. Unsigned; checked by digest. */
import { z } from 'zod';
import { DeployId, Digest, MachineName, NamespaceName } from './names.ts';
import { Release } from './release.ts';
import { ServiceSpec } from './service.ts';
import { Fence } from './step.ts';

/** `part` counts from 0; the parts of an answer, put together, are one gzip'd JSON text. */
export const KnownQuestion = z.strictObject({ part: z.int().min(0) });
export const KnownAnswer = z.strictObject({ parts: z.int().min(1), base64: z.string(), sha256: Digest });

export const KnownNamespace = z.strictObject({
  namespace: NamespaceName,
  /** Highest log entry that was read. */
  tip: z.int().min(0),
  /** The highest that was acted on; null: none. */
  fence: Fence.nullable(),
  /** Deploys that were not closed here. */
  open: z.array(DeployId),
  /** What the log said last; null: nothing was live. */
  live: Release.nullable(),
});
export type KnownNamespace = z.infer<typeof KnownNamespace>;

export const Known = z.strictObject({
  machine: MachineName,
  namespaces: z.array(KnownNamespace),
  /** Specs that those releases name, as far as they were kept. */
  specs: z.record(Digest, ServiceSpec),
});
export type Known = z.infer<typeof Known>;
