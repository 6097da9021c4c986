/** The keys whose orders this machine carries out: the list that the cluster's root key signed, the root pinned in a file. */
import { readFile } from 'node:fs/promises';
import { isSlipwayError, SlipwayError } from '../schemas/errors.ts';
import type { TrustedKeys } from '../trust/sign.ts';
import { trustedKeys, verifyTrustList } from '../trust/trust-list.ts';

export interface TrustedKeysDeps {
  /** Folder with `root.pub` and `trust.json`. */
  readonly folder: string;
  readonly installation: string;
}

/** Gives the keys for a message that names this one. @throws UNTRUSTED */
export type FindTrustedKeys = (keyId: unknown) => Promise<TrustedKeys>;

/** Looks at the list again when a key is not on it; a list that is older than one seen before is not believed. */
export function createTrustedKeys({ folder, installation }: TrustedKeysDeps): FindTrustedKeys {
  let trusted: TrustedKeys = new Map();
  let serial = 0;

  async function load(): Promise<void> {
    try {
      const root = (await readFile(`${folder}/root.pub`, 'utf8')).trim();
      const value = JSON.parse(await readFile(`${folder}/trust.json`, 'utf8')) as unknown;
      const list = verifyTrustList(value, root, installation);
      if (list.serial < serial)
        throw new SlipwayError('UNTRUSTED', 'the list of trusted keys is older than one seen before');
      [trusted, serial] = [trustedKeys(list), list.serial];
    } catch (error) {
      if (isSlipwayError(error)) throw error;
      throw new SlipwayError('UNTRUSTED', 'the list of trusted keys cannot be read', {}, error);
    }
  }

  return async (keyId) => {
    if (typeof keyId !== 'string' || !trusted.has(keyId)) await load();
    return trusted;
  };
}
