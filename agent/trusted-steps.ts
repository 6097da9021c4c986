/** Verifies steps by the list that the cluster's root key signed; the root is pinned in a file of this machine. */
import { readFile } from 'node:fs/promises';
import { isSlipwayError, SlipwayError } from '../schemas/errors.ts';
import type { SignedStep } from '../schemas/step.ts';
import { type TrustedKeys, verifyStep } from '../trust/sign.ts';
import { trustedKeys, verifyTrustList } from '../trust/trust-list.ts';
import type { VerifyStep } from './steps/server.ts';

export interface TrustedStepsDeps {
  /** Folder with `root.pub` and `trust.json`. */
  readonly folder: string;
  readonly installation: string;
}

/** Looks at the list again when a key is not on it; a list that is older than one seen before is not believed. */
export function createTrustedSteps({ folder, installation }: TrustedStepsDeps): VerifyStep {
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

  return async (signed: SignedStep) => {
    if (!trusted.has(signed.keyId)) await load();
    return verifyStep(signed, trusted);
  };
}
