/** The commands of the state itself, and of its history in git. */
import type { Command } from 'commander';
import { command } from './command.ts';

export function addStoreCommands(program: Command): void {
  program.commandsGroup('State:');
  const store = program
    .command('store')
    .description('The state of the installation, and its history in the fleet repository.')
    .exitOverride();
  command(
    store,
    'rebuild',
    'Bring a lost state back from the releases in git and from what agents remember; it comes up frozen.',
    [
      'slipway up --detach     # a NATS server that has lost everything, and the agent',
      'slipway store rebuild --repo https://git.example/acme/fleet.git',
    ],
    async () => (await import('../commands/store-rebuild.ts')).storeRebuild,
  )
    .option('--repo <location>', 'path or https URL of the fleet repository')
    .option('--branch <name>', 'branch that was followed', 'main')
    .option('--without-agents', 'from git alone: releases that were not pushed are lost');
  command(
    store,
    'signers',
    'The keys that releases in git are believed of, as the allowed signers file of git.',
    [
      'slipway store signers > signers',
      'git -c gpg.ssh.allowedSignersFile=signers log --show-signature refs/slipway/namespaces/production',
    ],
    async () => (await import('../commands/store-signers.ts')).storeSigners,
  );
}
