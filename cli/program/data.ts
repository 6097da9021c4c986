/** The commands of what outlives a deploy: secrets and volumes. */
import type { Command } from 'commander';
import { command } from './command.ts';
import { number } from './options.ts';

export function addDataCommands(program: Command): void {
  program.commandsGroup('Secrets and volumes:');
  const secret = program
    .command('secret')
    .description('Values that only containers see: sealed in the state, never printed.')
    .exitOverride();
  command(
    secret,
    'set <target>',
    'Set a secret NAMESPACE/NAME from standard input or a file; the services that use it get it at once.',
    [
      "printf %s 's3cret' | slipway secret set production/db-password",
      'slipway secret set production/tls-key --from-file key.pem',
    ],
    async () => (await import('../commands/secret.ts')).set,
  )
    .option('--from-file <file>', 'its exact bytes (default: standard input, or typed unseen on a terminal)')
    .option('--no-deploy', 'set it only; the next deploy of each service takes it');
  command(
    secret,
    'rotate <target>',
    'Give a secret a new random value; the services that use it get it at once.',
    ['slipway secret rotate production/session-key'],
    async () => (await import('../commands/secret.ts')).rotate,
  )
    .option('--bytes <n>', 'randomness of the new value, which is base64url text', number, 32)
    .option('--no-deploy', 'set it only; the next deploy of each service takes it');
  command(
    secret,
    'ls [namespace]',
    'Names, versions and users of secrets; never values.',
    ['slipway secret ls production'],
    async () => (await import('../commands/secret.ts')).ls,
  );
  command(
    secret,
    'rm <target>',
    'Remove a secret that no live service uses.',
    ['slipway secret rm production/old-token'],
    async () => (await import('../commands/secret.ts')).rm,
  );
  const volume = program.command('volume').description('The volumes of namespaces: list them, remove one.');
  command(
    volume,
    'ls [namespace]',
    'Where volumes lie, and which services mount them.',
    ['slipway volume ls', 'slipway volume ls production --json'],
    async () => (await import('../commands/volume.ts')).volumeLs,
  );
  command(
    volume,
    'rm <volume>',
    'Remove NAMESPACE/VOLUME with its data, for good; refused while a live service mounts it.',
    ['slipway volume rm production/data --yes'],
    async () => (await import('../commands/volume.ts')).volumeRm,
  ).option('--yes', 'really');
}
