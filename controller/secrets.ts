/** Secrets in the store: one record a secret with its newest version, sealed under the cluster's key. */
import { SlipwayError } from '../schemas/errors.ts';
import type { Digest, MachineName, NamespaceName } from '../schemas/names.ts';
import type { ManagedBy } from '../schemas/release.ts';
import {
  type MachineSecret,
  type SecretFacts,
  type SecretName,
  SecretRecord,
  secretNames,
  secretScope,
  secretsDigest,
} from '../schemas/secret.ts';
import type { Desired } from '../schemas/service.ts';
import type { Bucket } from '../store/port.ts';
import { type ClusterKey, openForCluster, sealForCluster, sealForMachine } from '../trust/seal.ts';
import { changeRecord } from './change-record.ts';

/** A NATS message holds 1 MiB; sealed and in base64 this much fits with room to spare. */
export const MAX_SECRET_BYTES = 512 * 1024;

/** One version, and who gets it; `scope`: the namespace that it belongs to, when that is another one (secretScope). */
interface WantedSecret {
  readonly namespace: NamespaceName;
  readonly scope?: NamespaceName;
  readonly name: SecretName;
  readonly version: number;
}

export interface Secrets {
  /** A new version, unless the newest has exactly these bytes. */
  set(args: {
    readonly namespace: NamespaceName;
    readonly name: SecretName;
    readonly value: Buffer;
    readonly by: string;
    /** ISO 8601, UTC. */
    readonly at: string;
  }): Promise<{ readonly version: number; readonly changed: boolean }>;
  /** false: there was none. */
  remove(
    namespace: NamespaceName,
    name: SecretName,
    by: { readonly by: string; readonly at: string },
  ): Promise<boolean>;
  /** One version, sealed so that only this machine can open it. @throws SECRET_MISSING, BASIS_MOVED, UNTRUSTED */
  sealFor(machine: MachineName, wanted: WantedSecret): Promise<MachineSecret>;
}

export interface SecretsDeps {
  readonly bucket: Bucket;
  readonly installation: string;
  readonly clusterKey: () => Promise<ClusterKey>;
  /** Machine → public key, as the cluster's root key signed them. */
  readonly machineKeys: () => Promise<Readonly<Record<MachineName, string>>>;
}

export function createSecrets({ bucket, installation, clusterKey, machineKeys }: SecretsDeps): Secrets {
  const opened = async ({ namespace, name, version, sealed }: SecretRecord) =>
    sealed === null ? null : openForCluster(sealed, await clusterKey(), { installation, namespace, name, version });

  return {
    async set({ namespace, name, value, by, at }) {
      let changed = true;
      const after = await changeRecord(bucket, [namespace, name], recordOf, async (before) => {
        changed = before === null || (await opened(before))?.equals(value) !== true;
        if (before !== null && !changed) return before;
        const version = (before?.version ?? 0) + 1;
        const sealed = sealForCluster(value, await clusterKey(), { installation, namespace, name, version });
        return { namespace, name, version, at, by, sizeBytes: value.length, isText: isText(value), sealed };
      });
      return { version: after?.version ?? 0, changed };
    },
    async remove(namespace, name, { by, at }) {
      let removed = false;
      await changeRecord(bucket, [namespace, name], recordOf, (before) => {
        removed = before !== null && before.sealed !== null;
        return before === null || !removed ? before : { ...before, by, at, sizeBytes: 0, sealed: null };
      });
      return removed;
    },
    async sealFor(machine, { namespace, scope = namespace, name, version }) {
      const record = recordOf((await bucket.get([scope, name]))?.value ?? null);
      const value = record === null ? null : await opened(record);
      if (record === null || value === null)
        throw new SlipwayError('SECRET_MISSING', `secret ${name} of ${scope} was removed since the plan was made`);
      if (record.version !== version) {
        const moved = `secret ${name} of ${scope} has version ${record.version} now, the plan wants ${version}`;
        throw new SlipwayError('BASIS_MOVED', `${moved}: plan again`);
      }
      const key = (await machineKeys())[machine];
      if (key === undefined) {
        const next = '`slipway up` there puts it on the list';
        throw new SlipwayError('UNTRUSTED', `no key of ${machine} is known to seal secrets to; ${next}`);
      }
      return { name, version, ...(await sealForMachine(value, key, { installation, namespace, name, version })) };
    },
  };
}

/** Stands for the newest versions of the secrets that a namespace names; null: none (also of one that git no longer has). */
export async function currentSecrets(
  bucket: Bucket,
  desired: Desired | null,
  managedBy: ManagedBy,
): Promise<Digest | null> {
  const names = [...new Set(desired?.services.flatMap((it) => secretNames(it.template)))];
  if (desired === null || names.length === 0) return null;
  const facts = new Map(
    (await readSecretFacts(bucket, secretScope(managedBy, desired.namespace))).map((it) => [it.name, it.version]),
  );
  return secretsDigest(Object.fromEntries(names.map((it) => [it, facts.get(it) ?? 0])));
}

/** What may be shown of the secrets of a namespace, or of all; in order. */
export async function readSecretFacts(bucket: Bucket, namespace?: NamespaceName): Promise<SecretFacts[]> {
  const entries = await bucket.list(namespace === undefined ? [] : [namespace]);
  const order = (it: SecretFacts) => `${it.namespace}/${it.name}`;
  return entries
    .map((it) => SecretRecord.parse(it.value))
    .filter((it) => it.sealed !== null)
    .map(({ sealed: _sealed, ...facts }) => facts)
    .toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
}

function recordOf(value: unknown): SecretRecord | null {
  return value === null ? null : SecretRecord.parse(value);
}

function isText(value: Buffer): boolean {
  if (value.includes(0)) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(value);
    return true;
  } catch {
    return false;
  }
}
