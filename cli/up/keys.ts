/** Keys of an installation: the cluster's root, this machine's operator, and the list of who may give orders. */
import { readFile } from 'node:fs/promises';
import type { Installation, StatePaths } from '../../schemas/installation.ts';
import { writeDurable } from '../../store/durable-file.ts';
import { type KeyPair, loadOrCreateKey } from '../../trust/keys.ts';
import { clusterKey, machineKeys } from '../../trust/secret-keys.ts';
import type { TrustedKeys } from '../../trust/signed-body.ts';
import { createTrustList, type TrustList, trustedKeys, verifyTrustList } from '../../trust/trust-list.ts';

/** The key that signs steps: the controller's and this machine's operators'. @throws UNTRUSTED */
export async function operatorKey(paths: StatePaths): Promise<KeyPair> {
  return await loadOrCreateKey(`${paths.keys}/operator.pem`);
}

/** All keys exist, and the signed list names the operator and this machine. Idempotent. */
export async function ensureKeys(
  paths: StatePaths,
  { id, machine }: Pick<Installation, 'id' | 'machine'>,
): Promise<void> {
  const root = await loadOrCreateKey(`${paths.keys}/root.pem`);
  const operator = await operatorKey(paths);
  await clusterKey(paths.keys, true);
  const own = await machineKeys(paths.keys, true);
  await writeOnce(`${paths.keys}/root.pub`, `${root.publicKey}\n`);
  const file = `${paths.keys}/trust.json`;
  const text = await readFile(file, 'utf8').catch(() => null);
  const present = text === null ? null : verifyTrustList(JSON.parse(text), root.publicKey, id);
  const names = present !== null && trustedKeys(present).has(operator.keyId);
  if (names && present.machines?.[machine] === own.publicKey) return;
  const others = present?.keys.filter((it) => it.publicKey !== operator.publicKey) ?? [];
  const list = {
    installation: id,
    serial: (present?.serial ?? 0) + 1,
    keys: [...others, { name: 'operator', publicKey: operator.publicKey }],
    machines: { ...present?.machines, [machine]: own.publicKey },
  };
  await writeDurable(file, `${JSON.stringify(createTrustList(list, root), null, 2)}\n`, 0o644);
}

/** Machine → public key that secrets are sealed to, as the root key signed them. @throws UNTRUSTED */
export async function trustedMachines(
  paths: StatePaths,
  installation: string,
): Promise<Readonly<Record<string, string>>> {
  return (await readTrustList(paths, installation)).machines ?? {};
}

/** Keys whose steps are carried out and whose releases in git are believed. @throws UNTRUSTED */
export async function trustedSigners(paths: StatePaths, installation: string): Promise<TrustedKeys> {
  return trustedKeys(await readTrustList(paths, installation));
}

async function readTrustList(paths: StatePaths, installation: string): Promise<TrustList> {
  const root = (await readFile(`${paths.keys}/root.pub`, 'utf8')).trim();
  const text = await readFile(`${paths.keys}/trust.json`, 'utf8');
  return verifyTrustList(JSON.parse(text), root, installation);
}

async function writeOnce(path: string, text: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => null)) !== text) await writeDurable(path, text, 0o644);
}
