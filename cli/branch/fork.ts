/** The fork that a command asks for: what it is to be, and its plan. */
import { lastStanding } from '../../controller/execute/volumes.ts';
import { type Fork, forkDesired } from '../../controller/fork/fork.ts';
import type { PlanResult } from '../../controller/plan/input.ts';
import { previewRecordOf } from '../../controller/previews/records.ts';
import { readSource } from '../../controller/previews/source.ts';
import { urlsOf } from '../../controller/previews/view.ts';
import { planDesired, unpinned } from '../../controller/reconcile.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { LABEL } from '../../schemas/names.ts';
import type { Plan } from '../../schemas/plan.ts';
import { PREVIEW_SECRETS } from '../../schemas/secret.ts';
import type { Desired } from '../../schemas/service.ts';
import type { Connection } from '../connect.ts';
import { desiredFromFile, rulesFor, sourceOfForks } from '../desired.ts';
import { type CommandContext, textOption } from '../run-command.ts';
import { variablesOf } from '../variables.ts';
import { modesOf } from './modes.ts';

export type MadeFork = Extract<Fork, { ok: true }>;

/** What the fork of a command's arguments is to be. @throws UNKNOWN_NAMESPACE, USAGE, PULL_REFUSED, NOT_SUPPORTED */
export async function forkOf(context: CommandContext, connection: Connection): Promise<MadeFork> {
  const [source = '', namespace = ''] = context.args;
  const released = await readSource(connection.store, source);
  if (released === null)
    throw new SlipwayError('UNKNOWN_NAMESPACE', `${source} is not live, so there is nothing to fork from`);
  await requireForkable(connection, namespace);
  const { settings, desired, seed } = await sourceOfForks(connection, source);
  const host = textOption(context, 'host') ?? settings.previews.host;
  const fork = forkDesired({
    source: await sourceDesired(context, connection, { source, released, inGit: desired }),
    seed,
    released,
    namespace,
    number: null,
    modes: modesOf(context.options),
    settings: { ...settings, previews: { ...settings.previews, host } },
  });
  if (fork.ok) return fork;
  throw new SlipwayError(fork.code, fork.problems.join('\n'), { problems: fork.problems });
}

/** A manifest that was given, else what the source runs; how its volumes are made is known from git only. */
async function sourceDesired(
  context: CommandContext,
  connection: Connection,
  {
    source,
    released,
    inGit,
  }: { source: string; released: NonNullable<Awaited<ReturnType<typeof readSource>>>; inGit: Desired | null },
): Promise<Desired> {
  const file = textOption(context, 'file');
  if (file !== undefined) {
    const given = await desiredFromFile(file, connection, variablesOf(context));
    if (given.namespace === source && given.desired !== null) return given.desired;
    throw new SlipwayError('USAGE', `${file} is a manifest of ${given.namespace}, not of ${source}`);
  }
  const { release, specs } = released;
  const services = Object.values(release.services).flatMap((digest) => specs.get(digest) ?? []);
  const volumes = [...new Set(release.volumes.map((it) => it.volume))].map(
    (name) =>
      inGit?.volumes.find((it) => it.name === name) ??
      ({ name, scope: 'single', quotaBytes: null, mode: null, owner: null } as const),
  );
  return { namespace: source, services: services.map(unpinned), volumes };
}

/** The name may be a fork's: nobody else made anything of it, and no pull request has it. */
export async function requireForkable({ store }: Pick<Connection, 'store'>, namespace: string): Promise<void> {
  if (!LABEL.test(namespace) || namespace === PREVIEW_SECRETS)
    throw new SlipwayError('USAGE', `${namespace} cannot be the name of a fork: 1 to 63 of a-z, 0-9, "-" and "_"`);
  const preview = await previewRecordOf(store.bucket('previews'), namespace);
  if (preview !== null && preview.state !== 'removed')
    throw new SlipwayError(
      'PULL_REFUSED',
      `${namespace} is the preview of pull request #${preview.pull}: choose another name`,
    );
  const entries = await store.log.entries(namespace);
  const last = lastStanding(entries);
  const released = entries.findLast((it) => it.kind === 'release');
  const foreign = released?.kind === 'release' && released.managedBy !== 'preview';
  if (foreign || (last?.kind === 'removed' && last.volumes.length > 0))
    throw new SlipwayError('USAGE', `${namespace} is, or was, a namespace and no fork: choose another name`);
}

/** The plan of a fork. */
export async function planFork(
  connection: Connection,
  fork: Pick<MadeFork, 'desired' | 'images' | 'forkedFrom'>,
): Promise<PlanResult> {
  const { store, gatewayPorts } = connection;
  const { desired, images, forkedFrom } = fork;
  return await planDesired({
    store,
    gatewayPorts,
    desired,
    images,
    forkedFrom: forkedFrom ?? undefined,
    revision: null,
    managedBy: 'preview',
    ...(await rulesFor(connection, desired.namespace)),
  });
}

/** Where the services of a plan will answer. */
export function urlsOfPlan({ installation }: Connection, { services }: Plan): { service: string; url: string }[] {
  const routes = services.flatMap(({ name, routes: all }) => all.map((route) => ({ service: name, route })));
  return urlsOf({ routes }, installation.httpPort);
}
