/**
 * The `slipway` command. This file only says what there is; each command's code is loaded when it is called, so that
 * `--help` costs little more than starting Node.
 */
import { Command, CommanderError } from 'commander';
import { EXIT } from './exit-codes.ts';
import { addAgreementCommands } from './program/agreements.ts';
import { addBranchCommands } from './program/branch.ts';
import { addDataCommands } from './program/data.ts';
import { addDeploysCommands } from './program/deploys.ts';
import { addHistoryCommands } from './program/history.ts';
import { addInstallationCommands } from './program/installation.ts';
import { addLookInsideCommands } from './program/look-inside.ts';
import { addStoreCommands } from './program/store.ts';

const program = new Command('slipway')
  .description('GitOps deployment for 1 to 200 machines without Kubernetes.')
  .option('--state-dir <dir>', 'where the installation lives (default: $SLIPWAY_STATE_DIR or /var/lib/slipway)')
  .option('--json', 'print one JSON envelope instead of text')
  .option('--verbose', 'print stack traces and what the parts log')
  .showHelpAfterError('(slipway --help lists the commands)')
  .showSuggestionAfterError(true)
  .enablePositionalOptions()
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });

addInstallationCommands(program);
addDeploysCommands(program);
addBranchCommands(program);
addAgreementCommands(program);
addHistoryCommands(program);
addLookInsideCommands(program);
addDataCommands(program);
addStoreCommands(program);

// Help that is piped into `head`: whoever read has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  const shown = ['commander.helpDisplayed', 'commander.help', 'commander.version'].includes(error.code);
  process.exitCode = shown && error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
