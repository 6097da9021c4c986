/** `slipway agent`: this machine's agent alone, for a service manager. */
import { runAgent } from '../../agent/main.ts';
import { refuseHalfRestored } from '../backup/marker.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../run-command.ts';
import { readInstallation } from '../state-dir.ts';

export async function agent(context: CommandContext): Promise<number> {
  readInstallation(context.paths);
  await refuseHalfRestored(context.paths);
  await runAgent({ stateDir: context.paths.root, signal: context.signal });
  return EXIT.ok;
}
