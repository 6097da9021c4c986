/** What there is to look inside what runs: `exec`, `stats`, `why`. Their code is loaded when they are called. */
import type { Command } from 'commander';
import { command } from './command.ts';
import { also } from './options.ts';

export function addLookInsideCommands(program: Command): void {
  program.commandsGroup('Look inside:');
  command(
    program,
    'exec <target> [command...]',
    'Run a command in the instance of NAMESPACE/SERVICE (or NAMESPACE/SERVICE.INDEX); exits with its exit code.',
    [
      'slipway exec production/web -- ls -la /srv',
      'slipway exec production/web.1 -it -- sh',
      'slipway exec production/db -i -u postgres -- psql app < query.sql',
    ],
    async () => (await import('../commands/exec.ts')).exec,
  )
    .option('-i, --stdin', 'pass standard input on')
    .option('-t, --tty', 'give it a terminal')
    .option('-u, --user <user>', 'run it as this user (name, or uid:gid)')
    .option('-e, --env <name=value>', 'set a variable of its environment; may be given again', also);
  command(
    program,
    'stats [target]',
    'CPU, memory and network of instances: all, of NAMESPACE, of NAMESPACE/SERVICE, or of one slot.',
    ['slipway stats', 'slipway stats production/web --no-stream', 'slipway stats production --json'],
    async () => (await import('../commands/stats.ts')).stats,
  ).option('--no-stream', 'one look instead of going on');
  command(
    program,
    'why <target>',
    'Why NAMESPACE/SERVICE is not what git says: held, failed, waiting, drifting; and what to do next.',
    ['slipway why production/web', 'slipway why production/web --json'],
    async () => (await import('../commands/why.ts')).why,
  );
}
