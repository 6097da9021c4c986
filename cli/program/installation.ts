/** The commands of an installation: start, stop, look whether it is well, keep and bring back. */
import type { Command } from 'commander';
import { command } from './command.ts';
import { number } from './options.ts';

export function addInstallationCommands(program: Command): void {
  program.commandsGroup('Installation:');
  command(
    program,
    'up',
    'Start everything on this machine: state, agent, gateway, controller; follow a fleet repository.',
    [
      'slipway up',
      'slipway up --repo /srv/fleet',
      'SLIPWAY_GIT_TOKEN=… slipway up --repo https://git.example/acme/fleet.git --branch main',
    ],
    async () => (await import('../commands/up.ts')).up,
  )
    .option('--repo <location>', 'path or https URL of the fleet repository (default: an example, made here)')
    .option('--branch <name>', 'branch to follow')
    .option('--nats <url>', 'use this NATS server instead of an embedded one')
    .option('--http-port <port>', 'where the gateway listens (default: 80, or 8080 when that is taken)', number)
    .option(
      '--hook-port <port>',
      'where the controller listens on loopback for POST /hooks/push (default: 7420)',
      number,
    )
    .option('--detach', 'start state, agent and gateway, then return without a controller');
  command(
    program,
    'down',
    'Stop what this installation runs; with --purge remove all it ever made, volumes and state included.',
    ['slipway down', 'slipway down --purge'],
    async () => (await import('../commands/down.ts')).down,
  ).option('--purge', 'also remove volumes, state, keys and the example repository');
  command(
    program,
    'doctor',
    'What is wrong on this machine and what to do about it; works while things are down. Exits 1 when something failed.',
    ['slipway doctor', 'slipway doctor --json'],
    async () => (await import('../commands/doctor.ts')).doctor,
  );
  command(
    program,
    'backup <file>',
    'Write identity, keys and state to one file (`-`: standard output) while everything runs; data of volumes is not in it.',
    [
      'slipway backup /root/slipway.backup',
      'slipway backup - | age -p > slipway.backup.age',
      'slipway backup --verify /root/slipway.backup',
    ],
    async () => (await import('../commands/backup.ts')).backup,
  ).option('--verify', 'check the file, and write nothing');
  command(
    program,
    'restore <file>',
    'Bring an installation back from a backup, into a state directory that has none; it comes up frozen.',
    ['slipway restore /root/slipway.backup', 'slipway --state-dir /srv/slipway restore /root/slipway.backup'],
    async () => (await import('../commands/restore.ts')).restore,
  ).option('--nats <url>', 'restore the state into this NATS server, which must be empty, instead of an embedded one');
  command(
    program,
    'controller',
    'Run only the controller (for a service manager).',
    ['slipway controller'],
    async () => (await import('../commands/controller.ts')).controller,
  ).option('--hook-port <port>', 'where to listen on loopback for POST /hooks/push', number);
  command(
    program,
    'agent',
    "Run only this machine's agent (for a service manager).",
    ['slipway agent'],
    async () => (await import('../commands/agent.ts')).agent,
  );
  command(
    program,
    'version',
    'Versions of Slipway and of what it found on this machine.',
    ['slipway version --json'],
    async () => (await import('../commands/version.ts')).version,
  );
}
