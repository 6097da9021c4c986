/** The keys of secrets, in files that only their owner reads: the cluster's, and this machine's pair. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SlipwayError } from '../schemas/errors.ts';
import { ensureKeyFile } from './key-file.ts';
import { type ClusterKey, generateMachineKeys, type MachineKeys } from './seal.ts';

const CLUSTER_KEY_BYTES = 32;

/** The cluster's key; made when `create` says so and there is none. @throws SECRET_UNREADABLE */
export async function clusterKey(folder: string, create = false): Promise<ClusterKey> {
  const path = `${folder}/secrets.key`;
  if (create) await ensureKeyFile(path, () => randomBytes(CLUSTER_KEY_BYTES).toString('base64'));
  const key = Buffer.from(await read(path), 'base64');
  if (key.length !== CLUSTER_KEY_BYTES) throw new SlipwayError('SECRET_UNREADABLE', `${path} holds no key of secrets`);
  return key;
}

/** This machine's pair; made when `create` says so and there is none. @throws SECRET_UNREADABLE */
export async function machineKeys(folder: string, create = false): Promise<MachineKeys> {
  const path = `${folder}/machine.key`;
  if (create) await ensureKeyFile(path, async () => JSON.stringify(await generateMachineKeys()));
  const text = await read(path);
  try {
    const { publicKey, privateKey } = JSON.parse(text) as Record<string, unknown>;
    if (typeof publicKey === 'string' && typeof privateKey === 'string') return { publicKey, privateKey };
  } catch {
    // The parser's message may quote the file: it is not passed on.
  }
  throw new SlipwayError('SECRET_UNREADABLE', `${path} holds no key of a machine`);
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new SlipwayError('SECRET_UNREADABLE', `${path} cannot be read; \`slipway up\` makes it`, {}, error);
  }
}
