/**
 * Secrets: how manifests name them, and what of them crosses a boundary. A value is only ever there sealed: under the
 * cluster's key in the store, to a machine's key in a step; specs hold names and versions.
 */
import { z } from 'zod';
import { digestOf } from './canonical.ts';
import { type Digest, NamespaceName } from './names.ts';
import type { ManagedBy } from './release.ts';

/** Where the secrets of all forks lie: no manifest may be called so, and no fork sees the secrets of its source. */
export const PREVIEW_SECRETS: NamespaceName = 'previews';

/** The namespace whose secrets a namespace gets. */
export function secretScope(managedBy: ManagedBy, namespace: NamespaceName): NamespaceName {
  return managedBy === 'preview' ? PREVIEW_SECRETS : namespace;
}

/** A secret, unique in its namespace: like a name, but capitals and dots are welcome, as in environment variables. */
export const SECRET_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
export const SecretName = z.string().regex(SECRET_NAME);
export type SecretName = z.infer<typeof SecretName>;

/** Secret → version: what a spec pins. */
export const SecretVersions = z.record(SecretName, z.int().min(1));
export type SecretVersions = z.infer<typeof SecretVersions>;

/** The newest version of a secret in the store; older ones are gone. `sealed`: base64 (trust/seal.ts). */
export const SecretRecord = z.strictObject({
  namespace: NamespaceName,
  name: SecretName,
  version: z.int().min(1),
  at: z.iso.datetime(),
  by: z.string(),
  sizeBytes: z.int().min(0),
  /** UTF-8 without NUL: an environment variable can hold it. */
  isText: z.boolean(),
  /** null: removed; the record stays so that no version is ever given twice. */
  sealed: z.string().nullable(),
});
export type SecretRecord = z.infer<typeof SecretRecord>;

/** What may be shown of a secret. */
export type SecretFacts = Omit<SecretRecord, 'sealed'>;

/** One version of a secret that only one machine can open (HPKE, RFC 9180): base64 of both parts. */
export const MachineSecret = z.strictObject({
  name: SecretName,
  version: z.int().min(1),
  encapsulated: z.string(),
  sealed: z.string(),
});
export type MachineSecret = z.infer<typeof MachineSecret>;

/** Text of a placeholder, as specs hold it. */
export function secretPlaceholder(name: SecretName): string {
  return `{{secret:${name}}}`;
}

const PLACEHOLDER = /\{\{secret:([A-Za-z0-9_.-]{1,63})\}\}/g;

/** Names in a text's placeholders, each once, in order of appearance. */
function secretsIn(text: string): SecretName[] {
  return [...new Set([...text.matchAll(PLACEHOLDER)].map((it) => it[1] ?? ''))];
}

/** The text with each placeholder replaced once; what a value itself contains is not looked at again. */
export function fillSecrets(text: string, valueOf: (name: SecretName) => string): string {
  return text.replaceAll(PLACEHOLDER, (_, name: string) => valueOf(name));
}

/** The parts of a template that name secrets. */
interface NamesSecrets {
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly ({ readonly kind: 'secret'; readonly secret: SecretName } | { readonly kind: string })[];
}

/** Secrets that the environment of a template names. */
export function envSecrets({ env }: Pick<NamesSecrets, 'env'>): SecretName[] {
  return [...new Set(Object.values(env).flatMap(secretsIn))].toSorted();
}

/** Every secret that a template names, in order. */
export function secretNames(template: NamesSecrets): SecretName[] {
  const files = template.mounts.flatMap((it) => ('secret' in it ? [it.secret] : []));
  return [...new Set([...envSecrets(template), ...files])].toSorted();
}

/** Stands for versions of secrets in records that only compare; null: none are used. Missing ones count as version 0. */
export function secretsDigest(versions: Readonly<Record<SecretName, number>>): Digest | null {
  return Object.keys(versions).length === 0 ? null : digestOf(versions);
}
