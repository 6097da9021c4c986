/** The commands that only show what is live and what happened. */
import type { Command } from 'commander';
import { command } from './command.ts';
import { number } from './options.ts';

export function addHistoryCommands(program: Command): void {
  program.commandsGroup('What is and what was:');
  command(
    program,
    'status [namespace]',
    'What is live, what runs, what is held or failed, machine by machine.',
    ['slipway status', 'slipway status production --json'],
    async () => (await import('../commands/status.ts')).status,
  );
  command(
    program,
    'releases <namespace>',
    'The release history of a namespace, newest first.',
    ['slipway releases production', 'slipway releases production --git'],
    async () => (await import('../commands/releases.ts')).releases,
  )
    .option('--limit <n>', 'how many', number, 20)
    .option('--git', 'as the fleet repository has it: commits, and whether who signed them is trusted');
  command(
    program,
    'deploys <namespace>',
    'The attempts to deploy a namespace, newest first, with why they failed.',
    ['slipway deploys production'],
    async () => (await import('../commands/deploys.ts')).deploys,
  ).option('--limit <n>', 'how many', number, 20);
  command(
    program,
    'events',
    'What happened, oldest first.',
    ['slipway events', 'slipway events -f --json'],
    async () => (await import('../commands/events.ts')).events,
  )
    .option('-f, --follow', 'go on as events come')
    .option('--limit <n>', 'how many past events', number, 50);
  command(
    program,
    'logs <target>',
    'Log lines of the instances of NAMESPACE/SERVICE.',
    ['slipway logs production/web', 'slipway logs production/web -f --tail 100'],
    async () => (await import('../commands/logs.ts')).logs,
  )
    .option('-f, --follow', 'go on as lines come')
    .option('--tail <n>', 'how many past lines', number, 50);
}
