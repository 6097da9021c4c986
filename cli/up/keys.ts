/** Keys of an installation: the cluster's root, this machine's operator, and the list of who may give orders. */
import { readFile } from 'node:fs/promises';
import type { StatePaths } from '../../schemas/installation.ts';
import { writeDurable } from '../../store/durable-file.ts';
import { type KeyPair, loadOrCreateKey } from '../../trust/keys.ts';
import { createTrustList, verifyTrustList } from '../../trust/trust-list.ts';

/** The key that signs steps: the controller's and this machine's operators'. @throws UNTRUSTED */
export async function operatorKey(paths: StatePaths): Promise<KeyPair> {
  return await loadOrCreateKey(`${paths.keys}/operator.pem`);
}

/** Root and operator key exist, and the signed list names the operator. Idempotent. */
export async function ensureKeys(paths: StatePaths, installation: string): Promise<void> {
  const root = await loadOrCreateKey(`${paths.keys}/root.pem`);
  const operator = await operatorKey(paths);
  await writeOnce(`${paths.keys}/root.pub`, `${root.publicKey}\n`);
  const file = `${paths.keys}/trust.json`;
  const present = await readFile(file, 'utf8').catch(() => null);
  if (present !== null && verifyTrustList(JSON.parse(present), root.publicKey, installation).has(operator.keyId))
    return;
  const list = { installation, serial: 1, keys: [{ name: 'operator', publicKey: operator.publicKey }] };
  await writeDurable(file, `${JSON.stringify(createTrustList(list, root), null, 2)}\n`, 0o644);
}

async function writeOnce(path: string, text: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => null)) !== text) await writeDurable(path, text, 0o644);
}
