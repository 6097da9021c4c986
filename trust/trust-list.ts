/** The list of keys whose steps agents act on, signed by the cluster's root key, which agents pin. */
import { sign, verify } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../schemas/canonical.ts';
import { SlipwayError } from '../schemas/errors.ts';
import { MachineName } from '../schemas/names.ts';
import { type KeyPair, keyIdOf, publicKeyOf } from './keys.ts';
import type { TrustedKeys } from './sign.ts';

const PURPOSE = 'slipway trust list 1\n';

/** `serial` grows with each new list, so that an older one cannot come back. */
export const TrustList = z.strictObject({
  installation: z.string(),
  serial: z.int().min(1),
  keys: z.array(z.strictObject({ name: z.string(), publicKey: z.string() })),
  /** Machine → public key (HPKE, base64) that secrets are sealed to. Lists of older versions have none. */
  machines: z.record(MachineName, z.string()).optional(),
});
export type TrustList = z.infer<typeof TrustList>;

const SignedTrustList = z.strictObject({ list: TrustList, root: z.string(), signature: z.string() });
type SignedTrustList = z.infer<typeof SignedTrustList>;

/** Signs a list with the root key. */
export function createTrustList(list: TrustList, root: KeyPair): SignedTrustList {
  return { list, root: root.publicKey, signature: sign(null, payload(list), root.privateKey).toString('base64') };
}

/** The list, when the root key signed it for this installation. @param root the pinned public key of the cluster (DER, base64) @throws UNTRUSTED */
export function verifyTrustList(value: unknown, root: string, installation: string): TrustList {
  const signed = SignedTrustList.safeParse(value);
  if (!signed.success) throw new SlipwayError('UNTRUSTED', 'the list of trusted keys has another form than expected');
  const { list, signature } = signed.data;
  if (!verify(null, payload(list), publicKeyOf(root), Buffer.from(signature, 'base64'))) {
    throw new SlipwayError('UNTRUSTED', 'the list of trusted keys is not signed by the root key of this cluster');
  }
  if (list.installation !== installation) {
    throw new SlipwayError('UNTRUSTED', 'the list of trusted keys belongs to another installation');
  }
  return list;
}

/** Key id → public key of everybody on the list. */
export function trustedKeys({ keys }: TrustList): TrustedKeys {
  return new Map(keys.map((it) => [keyIdOf(it.publicKey), it.publicKey]));
}

function payload(list: TrustList): Buffer {
  return Buffer.from(PURPOSE + canonicalJson(list), 'utf8');
}
