/** `slipway store signers`: the keys that releases in git are believed of, for a stock git. */
import { allowedSigners } from '../../controller/record/signers.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../run-command.ts';
import { readInstallation } from '../state-dir.ts';
import { trustedSigners } from '../up/keys.ts';

export async function storeSigners({ output, paths }: CommandContext): Promise<number> {
  const { id } = readInstallation(paths);
  const text = allowedSigners(id, await trustedSigners(paths, id));
  output.result({ installation: id, allowedSigners: text }, () => output.line(text.trimEnd()));
  return EXIT.ok;
}
