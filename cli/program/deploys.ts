/** The commands that plan and carry out. */
import { type Command, Option } from 'commander';
import { command } from './command.ts';
import { also, consent, detailed, dryRun, number, pull, variable } from './options.ts';

export function addDeploysCommands(program: Command): void {
  program.commandsGroup('Deploys:');
  command(
    program,
    'validate [paths...]',
    'Check manifests offline: every problem with file, line and column.',
    [
      'slipway validate',
      'slipway validate namespaces/production.toml --var REGION=eu',
      'slipway validate --json /srv/fleet',
    ],
    async () => (await import('../commands/validate.ts')).validate,
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
    async () => (await import('../commands/plan.ts')).plan,
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
    async () => (await import('../commands/deploy.ts')).deploy,
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
    async () => (await import('../commands/plan.ts')).preview,
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
    async () => (await import('../commands/deploy-service.ts')).deployService,
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
    async () => (await import('../commands/stop.ts')).stop,
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
    async () => (await import('../commands/stop.ts')).start,
  )
    .option('-m, --message <why>', 'why, for the hold and the events')
    .addOption(dryRun())
    .addOption(detailed())
    .addOption(consent());
  command(
    program,
    'rollback <namespace>',
    'Back to an earlier release, with its exact images; holds the namespace.',
    ['slipway rollback production', 'slipway rollback production --to 12'],
    async () => (await import('../commands/rollback.ts')).rollback,
  )
    .option('--to <release>', 'release number (default: the last one that differs)', number)
    .option('-m, --message <why>', 'why, for the hold and the events')
    .addOption(dryRun())
    .addOption(consent());
  command(
    program,
    'promote <source> <destination>',
    'DESTINATION takes over the exact image digests that SOURCE runs, through git: as a pull request, or a push where slipway.toml says so.',
    [
      'slipway promote staging production -n',
      'slipway promote pr-7 production',
      'slipway promote staging production --now',
    ],
    async () => (await import('../commands/promote.ts')).promote,
  )
    .option('--now', 'deploy the digests first, then land them in git')
    .option('-m, --message <why>', 'why, where a consent is given')
    .addOption(dryRun())
    .addOption(consent());
  command(
    program,
    'resume <namespace>',
    'Let the loop act on a held or failed namespace again; shows what git would change first.',
    ['slipway resume production', 'slipway resume production --consent 1a2b3c4d5e6f'],
    async () => (await import('../commands/resume.ts')).resume,
  )
    .option('-m, --message <why>', 'why, where a consent is given')
    .addOption(dryRun())
    .addOption(consent());
  command(
    program,
    'abort <namespace>',
    'Abort the deploy under way before its commit point.',
    ['slipway abort production'],
    async () => (await import('../commands/abort.ts')).abort,
  );
}
