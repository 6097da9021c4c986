/**
 * The vault: secrets of this machine on its disk, sealed to its key, so that it heals also with everything else down.
 * File: `<agent>/secrets.json`, namespace → secret → version → box.
 */
import { readFile } from 'node:fs/promises';
import { SlipwayError } from '../../schemas/errors.ts';
import type { NamespaceName } from '../../schemas/names.ts';
import type { MachineSecret, SecretName } from '../../schemas/secret.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
import type { TracePoint } from '../../store/trace.ts';
import { type MachineKeys, openForMachine } from '../../trust/seal.ts';
import { createDurableRecord } from '../durable-record.ts';

type Box = Pick<MachineSecret, 'encapsulated' | 'sealed'>;
type Kept = Readonly<Record<NamespaceName, Readonly<Record<SecretName, Readonly<Record<string, Box>>>>>>;

export interface Vault {
  /** The secrets are on the disk. */
  keep(namespace: NamespaceName, secrets: readonly MachineSecret[]): Promise<void>;
  /** The value of one version. @throws SECRET_UNREADABLE */
  open(namespace: NamespaceName, name: SecretName, version: number): Promise<Buffer>;
  /** Removes versions that none of these specs pins, now and at the call before. */
  forget(used: ReadonlyMap<NamespaceName, readonly ServiceSpec[]>): Promise<void>;
  /** Removes all of a namespace that runs nothing any more. */
  forgetNamespace(namespace: NamespaceName): Promise<void>;
}

export interface VaultDeps {
  readonly path: string;
  readonly installation: string;
  readonly keys: () => Promise<MachineKeys>;
  readonly trace: TracePoint;
  /** Told each value that was opened. */
  readonly onOpened: (name: SecretName, value: Buffer) => void;
}

/** Reads the file of an earlier run and opens what is in it, so that `onOpened` knows every value from the start. */
export async function openVault({ path, installation, keys, trace, onOpened }: VaultDeps): Promise<Vault> {
  const record = createDurableRecord<Kept>({ path, initial: await readKept(path) });
  let suspects = new Set<string>();

  async function open(namespace: NamespaceName, name: SecretName, version: number): Promise<Buffer> {
    const box = record.value()[namespace]?.[name]?.[version];
    if (box === undefined) {
      const what = `version ${version} of secret ${name} of ${namespace}`;
      throw new SlipwayError(
        'SECRET_UNREADABLE',
        `${what} never reached this machine: \`slipway secret set ${namespace}/${name}\` with a new value sends it`,
      );
    }
    const { privateKey } = await keys();
    const value = await openForMachine(box, privateKey, { installation, namespace, name, version });
    onOpened(name, value);
    return value;
  }

  for (const { namespace, name, version } of versionsIn(record.value())) {
    // What cannot be opened is said when a container needs it.
    await open(namespace, name, version).catch(() => undefined);
  }

  return {
    open,
    async keep(namespace, secrets) {
      if (secrets.length === 0) return;
      trace('secrets.keep');
      await record.change((kept) => secrets.reduce((all, it) => withSecret(all, namespace, it), kept));
      trace('secrets.kept');
      for (const it of secrets) await open(namespace, it.name, it.version);
    },
    async forgetNamespace(namespace) {
      const own = versionsIn(record.value()).filter((it) => it.namespace === namespace);
      if (own.length > 0) await record.change((kept) => without(kept, new Set(own.map(keyOf))));
    },
    async forget(used) {
      const pinned = new Set(
        [...used].flatMap(([namespace, specs]) =>
          specs.flatMap(({ template }) =>
            Object.entries(template.secrets ?? {}).map(([name, version]) => keyOf({ namespace, name, version })),
          ),
        ),
      );
      // Kept before the record that names them is written: one unused call may fall between the two.
      const unused = versionsIn(record.value()).filter((it) => !pinned.has(keyOf(it)));
      const again = new Set(unused.map(keyOf).filter((it) => suspects.has(it)));
      suspects = new Set(unused.map(keyOf));
      if (again.size > 0) await record.change((kept) => without(kept, again));
    },
  };
}

interface Version {
  readonly namespace: NamespaceName;
  readonly name: SecretName;
  readonly version: number;
}

function keyOf({ namespace, name, version }: Version): string {
  return `${namespace} ${name} ${version}`;
}

function versionsIn(kept: Kept): Version[] {
  return Object.entries(kept).flatMap(([namespace, secrets]) =>
    Object.entries(secrets).flatMap(([name, versions]) =>
      Object.keys(versions).map((version) => ({ namespace, name, version: Number(version) })),
    ),
  );
}

/** A version that is there stays: the same one sealed again is another text for the same value. */
function withSecret(
  kept: Kept,
  namespace: NamespaceName,
  { name, version, encapsulated, sealed }: MachineSecret,
): Kept {
  const versions = kept[namespace]?.[name] ?? {};
  if (Object.hasOwn(versions, version)) return kept;
  const named = { ...kept[namespace], [name]: { ...versions, [version]: { encapsulated, sealed } } };
  return { ...kept, [namespace]: named };
}

function without(kept: Kept, gone: ReadonlySet<string>): Kept {
  const left = versionsIn(kept).filter((it) => !gone.has(keyOf(it)));
  return left.reduce<Kept>((all, { namespace, name, version }) => {
    const box = kept[namespace]?.[name]?.[version];
    return box === undefined ? all : withSecret(all, namespace, { name, version, ...box });
  }, {});
}

async function readKept(path: string): Promise<Kept> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Kept;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new Error(`the agent's secrets cannot be read: ${path}`, { cause: error });
  }
}
