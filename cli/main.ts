/**
 * The `slipway` command. This file only says what there is; each command's code is loaded when it is called, so that
 * `--help` costs little more than starting Node.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { addConsentCommands } from './consent-commands.ts';
import { EXIT } from './exit-codes.ts';
import { addLookInside } from './look-inside.ts';
import type { CommandContext } from './run-command.ts';

type Action = (context: CommandContext) => Promise<number>;

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

/** Adds one command; `load` gives its code. */
function command(
  parent: Command,
  usage: string,
  description: string,
  examples: readonly string[],
  load: () => Promise<Action>,
): Command {
  return parent
    .command(usage)
    .description(description)
    .addHelpText('after', examples.length === 0 ? '' : `\nExamples:\n${examples.map((it) => `  $ ${it}`).join('\n')}`)
    .option('--json', 'print one JSON envelope instead of text')
    .exitOverride()
    .action(async (...args: unknown[]) => {
      const self = args.at(-1) as Command;
      const { runCommand } = await import('./run-command.ts');
      process.exitCode = await runCommand(self, await load());
    });
}

const number = (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('wants a whole number from 1.');
  return value;
};
const also = (text: string, before: readonly string[] = []) => [...before, text];
const dryRun = () => new Option('-n, --dry-run', 'show the plan and stop');
const detailed = () => new Option('--detailed-exitcode', 'exit 2 when the plan has changes');
const consent = () =>
  new Option('--consent <plan>', 'consent to exactly this plan and carry it out (its id, or the first 12 digits)');
const pull = () => new Option('--pull', 'resolve every image tag again');
const variable = () =>
  new Option('--var <name=value>', 'fills {{env:NAME}} of what is given by hand, before [env] of slipway.toml')
    .argParser((text: string, before: readonly string[]) => [...before, text])
    .default([], 'none');

command(
  program,
  'up',
  'Start everything on this machine: state, agent, gateway, controller; follow a fleet repository.',
  [
    'slipway up',
    'slipway up --repo /srv/fleet',
    'SLIPWAY_GIT_TOKEN=… slipway up --repo https://git.example/acme/fleet.git --branch main',
  ],
  async () => (await import('./commands/up.ts')).up,
)
  .option('--repo <location>', 'path or https URL of the fleet repository (default: an example, made here)')
  .option('--branch <name>', 'branch to follow')
  .option('--nats <url>', 'use this NATS server instead of an embedded one')
  .option('--http-port <port>', 'where the gateway listens (default: 80, or 8080 when that is taken)', number)
  .option('--hook-port <port>', 'where the controller listens on loopback for POST /hooks/push (default: 7420)', number)
  .option('--detach', 'start state, agent and gateway, then return without a controller');
command(
  program,
  'down',
  'Stop what this installation runs; with --purge remove all it ever made, volumes and state included.',
  ['slipway down', 'slipway down --purge'],
  async () => (await import('./commands/down.ts')).down,
).option('--purge', 'also remove volumes, state, keys and the example repository');
command(
  program,
  'backup <file>',
  'Write identity, keys and state to one file (`-`: standard output) while everything runs; data of volumes is not in it.',
  [
    'slipway backup /root/slipway.backup',
    'slipway backup - | age -p > slipway.backup.age',
    'slipway backup --verify /root/slipway.backup',
  ],
  async () => (await import('./commands/backup.ts')).backup,
).option('--verify', 'check the file, and write nothing');
command(
  program,
  'restore <file>',
  'Bring an installation back from a backup, into a state directory that has none; it comes up frozen.',
  ['slipway restore /root/slipway.backup', 'slipway --state-dir /srv/slipway restore /root/slipway.backup'],
  async () => (await import('./commands/restore.ts')).restore,
).option('--nats <url>', 'restore the state into this NATS server, which must be empty, instead of an embedded one');
command(
  program,
  'controller',
  'Run only the controller (for a service manager).',
  ['slipway controller'],
  async () => (await import('./commands/controller.ts')).controller,
).option('--hook-port <port>', 'where to listen on loopback for POST /hooks/push', number);
command(
  program,
  'agent',
  "Run only this machine's agent (for a service manager).",
  ['slipway agent'],
  async () => (await import('./commands/agent.ts')).agent,
);
command(
  program,
  'validate [paths...]',
  'Check manifests offline: every problem with file, line and column.',
  [
    'slipway validate',
    'slipway validate namespaces/production.toml --var REGION=eu',
    'slipway validate --json /srv/fleet',
  ],
  async () => (await import('./commands/validate.ts')).validate,
).addOption(variable());
command(
  program,
  'plan <namespace>',
  'Show what a deploy of the tracked revision would do.',
  [
    'slipway plan production',
    'slipway plan production --detailed-exitcode',
    'slipway plan production -f draft.toml --markdown',
  ],
  async () => (await import('./commands/plan.ts')).plan,
)
  .option('-f, --file <file>', 'plan this manifest (a file or a folder) instead of what git says')
  .option('--markdown', 'as a pull request comment would show it')
  .addOption(detailed())
  .addOption(pull())
  .addOption(variable());
const deploy = command(
  program,
  'deploy [namespaces...]',
  'Carry out what git says now, or the manifest given with -f (which holds the namespace).',
  [
    'slipway deploy production',
    'slipway deploy -f production.toml',
    'slipway deploy -n production',
    'slipway deploy preview -f production.toml',
  ],
  async () => (await import('./commands/deploy.ts')).deploy,
)
  .option('-f, --file <file>', 'deploy this manifest (a file or a folder); it is the whole namespace')
  .option('-m, --message <why>', 'why, for the hold and the events')
  .addOption(dryRun())
  .addOption(detailed())
  .addOption(consent())
  .addOption(pull())
  .addOption(variable())
  .passThroughOptions(false);
command(
  deploy,
  'preview',
  'Show the plan of a manifest without carrying it out.',
  ['slipway deploy preview -f production.toml'],
  async () => (await import('./commands/plan.ts')).preview,
)
  .requiredOption('-f, --file <file>', 'the manifest (a file or a folder)')
  .option('--markdown', 'as a pull request comment would show it')
  .addOption(detailed())
  .addOption(variable());
command(
  deploy,
  'service [name]',
  'Change one service of what is live; everything that is not named stays. Safe to run again. Holds the namespace.',
  [
    'slipway deploy service web --namespace shop --image ghcr.io/acme/shop:1.4',
    'slipway deploy service --host shop.example.com --image ghcr.io/acme/shop:1.4',
    'slipway deploy service web --namespace shop --image ghcr.io/acme/shop:1.4 --host shop.example.com --port 8080',
    'slipway deploy service db --namespace shop --image postgres:16 --port 5432 -v pgdata:/var/lib/postgresql/data',
    'slipway deploy service web --namespace shop --pull -m "the tag was built again"',
    'slipway deploy service web --namespace shop -e LOG_LEVEL=debug -n',
  ],
  async () => (await import('./commands/deploy-service.ts')).deployService,
)
  .option('--namespace <name>', 'where it belongs (default: the one namespace that has a service of that name)')
  .option('--image <image>', 'image with tag or digest; a new service needs one')
  .option('-p, --publish <host:container>', 'port of the machine that leads to it, like 5432:5432 or 53:53/udp', also)
  .option('-e, --env <name=value>', 'environment variable; {{env:NAME}} is filled from slipway.toml', also)
  .option(
    '-v, --volume <source:target>',
    'volume (or path of the machine, with --allow-bind), like data:/data:ro',
    also,
  )
  .addOption(new Option('--network <kind>', 'network of its containers').choices(['overlay', 'host', 'none']))
  .addOption(
    new Option('--restart <policy>', 'what happens when its process ends').choices([
      'unless-stopped',
      'always',
      'on-failure',
      'no',
    ]),
  )
  .option('--host <hostname>', 'hostname that it answers for; without NAME: the service that has it')
  .option('--port <port>', 'tcp port that its containers listen on, for --host and the readiness probe', number)
  .option('--allow-bind', 'allow -v with a path of the machine although slipway.toml does not')
  .option('-m, --message <why>', 'why, for the hold and the events')
  .addOption(dryRun())
  .addOption(detailed())
  .addOption(consent())
  .addOption(pull())
  .addOption(variable());
command(
  program,
  'stop <target>',
  'No instance of NAMESPACE/SERVICE: its hostnames answer 404; its volumes stay. Holds the namespace.',
  ['slipway stop shop/web', 'slipway stop shop/web -m "moving the database"'],
  async () => (await import('./commands/stop.ts')).stop,
)
  .option('-m, --message <why>', 'why, for the hold and the events')
  .addOption(dryRun())
  .addOption(detailed())
  .addOption(consent());
command(
  program,
  'start <target>',
  'As many instances of NAMESPACE/SERVICE as it had before it was stopped. Holds the namespace.',
  ['slipway start shop/web'],
  async () => (await import('./commands/stop.ts')).start,
)
  .option('-m, --message <why>', 'why, for the hold and the events')
  .addOption(dryRun())
  .addOption(detailed())
  .addOption(consent());
command(
  program,
  'status [namespace]',
  'What is live, what runs, what is held or failed, machine by machine.',
  ['slipway status', 'slipway status production --json'],
  async () => (await import('./commands/status.ts')).status,
);
command(
  program,
  'releases <namespace>',
  'The release history of a namespace, newest first.',
  ['slipway releases production'],
  async () => (await import('./commands/releases.ts')).releases,
).option('--limit <n>', 'how many', number, 20);
command(
  program,
  'rollback <namespace>',
  'Back to an earlier release, with its exact images; holds the namespace.',
  ['slipway rollback production', 'slipway rollback production --to 12'],
  async () => (await import('./commands/rollback.ts')).rollback,
)
  .option('--to <release>', 'release number (default: the last one that differs)', number)
  .option('-m, --message <why>', 'why, for the hold and the events')
  .addOption(dryRun())
  .addOption(consent());
command(
  program,
  'resume <namespace>',
  'Let the loop act on a held or failed namespace again; shows what git would change first.',
  ['slipway resume production', 'slipway resume production --consent 1a2b3c4d5e6f'],
  async () => (await import('./commands/resume.ts')).resume,
)
  .option('-m, --message <why>', 'why, where a consent is given')
  .addOption(dryRun())
  .addOption(consent());
addConsentCommands(command, program);
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
  async () => (await import('./commands/secret.ts')).set,
)
  .option('--from-file <file>', 'its exact bytes (default: standard input, or typed unseen on a terminal)')
  .option('--no-deploy', 'set it only; the next deploy of each service takes it');
command(
  secret,
  'rotate <target>',
  'Give a secret a new random value; the services that use it get it at once.',
  ['slipway secret rotate production/session-key'],
  async () => (await import('./commands/secret.ts')).rotate,
)
  .option('--bytes <n>', 'randomness of the new value, which is base64url text', number, 32)
  .option('--no-deploy', 'set it only; the next deploy of each service takes it');
command(
  secret,
  'ls [namespace]',
  'Names, versions and users of secrets; never values.',
  ['slipway secret ls production'],
  async () => (await import('./commands/secret.ts')).ls,
);
command(
  secret,
  'rm <target>',
  'Remove a secret that no live service uses.',
  ['slipway secret rm production/old-token'],
  async () => (await import('./commands/secret.ts')).rm,
);
command(
  program,
  'logs <target>',
  'Log lines of the instances of NAMESPACE/SERVICE.',
  ['slipway logs production/web', 'slipway logs production/web -f --tail 100'],
  async () => (await import('./commands/logs.ts')).logs,
)
  .option('-f, --follow', 'go on as lines come')
  .option('--tail <n>', 'how many past lines', number, 50);
addLookInside({ program, command, also });
command(
  program,
  'events',
  'What happened, oldest first.',
  ['slipway events', 'slipway events -f --json'],
  async () => (await import('./commands/events.ts')).events,
)
  .option('-f, --follow', 'go on as events come')
  .option('--limit <n>', 'how many past events', number, 50);
command(
  program,
  'deploys <namespace>',
  'The attempts to deploy a namespace, newest first, with why they failed.',
  ['slipway deploys production'],
  async () => (await import('./commands/deploys.ts')).deploys,
).option('--limit <n>', 'how many', number, 20);
const volume = program.command('volume').description('The volumes of namespaces: list them, remove one.');
command(
  volume,
  'ls [namespace]',
  'Where volumes lie, and which services mount them.',
  ['slipway volume ls', 'slipway volume ls production --json'],
  async () => (await import('./commands/volume.ts')).volumeLs,
);
command(
  volume,
  'rm <volume>',
  'Remove NAMESPACE/VOLUME with its data, for good; refused while a live service mounts it.',
  ['slipway volume rm production/data --yes'],
  async () => (await import('./commands/volume.ts')).volumeRm,
).option('--yes', 'really');
command(
  program,
  'abort <namespace>',
  'Abort the deploy under way before its commit point.',
  ['slipway abort production'],
  async () => (await import('./commands/abort.ts')).abort,
);
command(
  program,
  'doctor',
  'What is wrong on this machine and what to do about it; works while things are down. Exits 1 when something failed.',
  ['slipway doctor', 'slipway doctor --json'],
  async () => (await import('./commands/doctor.ts')).doctor,
);
command(
  program,
  'version',
  'Versions of Slipway and of what it found on this machine.',
  ['slipway version --json'],
  async () => (await import('./commands/version.ts')).version,
);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  const shown = ['commander.helpDisplayed', 'commander.help', 'commander.version'].includes(error.code);
  process.exitCode = shown && error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
