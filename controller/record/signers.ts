/** The keys that ledger commits are believed of, as a stock git wants them. Pure. */

import type { TrustedKeys } from '../../trust/signed-body.ts';
import { sshPublicKey } from '../../trust/ssh-signature.ts';
import { signerName } from './describe-entry.ts';
import { GIT_PURPOSE } from './ledger-commit.ts';

/** The file that `gpg.ssh.allowedSignersFile` names (ssh-keygen(1), ALLOWED SIGNERS). */
export function allowedSigners(installation: string, trusted: TrustedKeys): string {
  return [...trusted.values()]
    .map((it) => `${signerName(installation)} namespaces="${GIT_PURPOSE}" ${sshPublicKey(it)}\n`)
    .join('');
}
