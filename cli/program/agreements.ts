/** The commands with which people say yes to a plan, and no to all of them for a while. */
import type { Command } from 'commander';
import { command } from './command.ts';

/** `consent`, `approve`, `freeze`, `unfreeze`. */
export function addAgreementCommands(program: Command): void {
  program.commandsGroup('Yes and no:');
  command(
    program,
    'consent [plan]',
    'Consent to a plan that removes a lot or brings back what was rolled back; without a plan, list what waits.',
    ['slipway consent', 'slipway consent 1a2b3c4d5e6f -m "the old queue is empty"'],
    async () => (await import('../commands/consent.ts')).consent,
  ).option('-m, --message <why>', 'why, for the record');
  command(
    program,
    'approve [plan]',
    'Approve a plan of a namespace whose plans need it; without a plan, list what waits.',
    ['slipway approve', 'slipway approve 1a2b3c4d5e6f -m "seen on staging"'],
    async () => (await import('../commands/consent.ts')).approve,
  ).option('-m, --message <why>', 'why, for the record');
  command(
    program,
    'freeze [namespace]',
    'Refuse every deploy of a namespace, or of all; without either, list the freezes.',
    [
      'slipway freeze production --reason "board meeting" --until 2h',
      'slipway freeze --all --reason "end of year" --until 2027-01-04T08:00Z',
      'slipway freeze',
    ],
    async () => (await import('../commands/freeze.ts')).freeze,
  )
    .option('--all', 'every namespace, also those to come')
    .option('--reason <why>', 'why; said to everybody who is refused')
    .option('--until <when>', 'a moment or a duration (default: until it is lifted)');
  command(
    program,
    'unfreeze [namespace]',
    'Lift a freeze; what git said meanwhile is carried out.',
    ['slipway unfreeze production', 'slipway unfreeze --all'],
    async () => (await import('../commands/freeze.ts')).unfreeze,
  ).option('--all', 'the freeze of everything; freezes of single namespaces stay');
}
