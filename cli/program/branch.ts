/** `slipway branch`: forks by hand, their plans first. */
import { type Command, Option } from 'commander';
import { SERVICE_MODES, VOLUME_MODES } from '../../controller/fork/modes.ts';
import { command } from './command.ts';
import { also, detailed, variable } from './options.ts';

export function addBranchCommands(program: Command): void {
  const branch = program
    .command('branch')
    .description(
      'Forks: a namespace of its own made from what another one runs, that can reach nothing outside itself.',
    )
    .exitOverride();
  withModes(
    command(
      branch,
      'preview <source> <fork>',
      'Show the plan of a fork.',
      ['slipway branch preview staging try', 'slipway branch preview staging try --service worker=skip'],
      async () => (await import('../commands/branch.ts')).preview,
    ),
  ).addOption(detailed());
  withModes(
    command(
      branch,
      'apply <source> <fork>',
      'Make the fork, or bring it up to date; only what differs is replaced.',
      [
        'slipway branch apply staging try --host "{service}-{name}.dev.example.com"',
        'slipway branch apply staging try -f staging.toml --volume db=fresh',
      ],
      async () => (await import('../commands/branch.ts')).apply,
    ),
  ).addOption(detailed());
  command(
    branch,
    'list',
    'All forks: what they were made from, by which pull request, and where they answer.',
    ['slipway branch list', 'slipway branch list --json'],
    async () => (await import('../commands/branch.ts')).list,
  );
  withModes(
    command(
      branch,
      'prepare <source> <fork>',
      'Keep the plan of a fork, to be carried out by its id later, exactly as it is now or not at all.',
      ['slipway branch prepare staging try'],
      async () => (await import('../commands/branch-prepared.ts')).prepare,
    ),
  );
  command(
    branch,
    'apply-prepared <plan>',
    'Carry out a prepared fork: by its id, or the first 12 digits.',
    ['slipway branch apply-prepared 1a2b3c4d5e6f'],
    async () => (await import('../commands/branch-prepared.ts')).applyPrepared,
  );
  withModes(
    command(
      branch,
      'render-manifest <source> <fork>',
      'Print the manifest of the fork, as it could lie in a fleet repository.',
      ['slipway branch render-manifest staging try', 'slipway branch render-manifest staging try --json'],
      async () => (await import('../commands/branch.ts')).renderManifest,
    ),
  );
  command(
    branch,
    'rm <fork>',
    'Remove a fork with its volumes, and prove that nothing is left of it.',
    ['slipway branch rm try --yes'],
    async () => (await import('../commands/branch-rm.ts')).rm,
  ).option('--yes', 'its data cannot be brought back: yes');
}

function withModes(command: Command): Command {
  return command
    .option('-f, --file <file>', 'run this manifest of the source instead of what the source runs')
    .option('--host <pattern>', 'hostnames, from {service} and {name} (default: [previews] host of slipway.toml)')
    .addOption(
      new Option('--service-mode <mode>', 'of services that are not named').choices(SERVICE_MODES).default('fork'),
    )
    .option('--service <name=mode>', `one service: ${SERVICE_MODES.join(' or ')}`, also)
    .addOption(new Option('--volume-mode <mode>', 'of volumes that are not named').choices(VOLUME_MODES))
    .option('--volume <name=mode>', `one volume: ${VOLUME_MODES.join(' or ')}`, also)
    .addOption(variable());
}
