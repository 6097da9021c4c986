/** `slipway stop` and `slipway start`: no replica of a service, and again as many as it had. Volumes and routes stay its own. */
import { liveReleases } from '../../controller/execute/preflight.ts';
import { lastReplicaCount } from '../../controller/last-replica-count.ts';
import { type Located, locate, requireLive } from '../../controller/patch/locate.ts';
import { servicePatch } from '../../controller/patch/patch.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { ServiceSpec } from '../../schemas/service.ts';
import { type Connection, connect } from '../connect.ts';
import { defaultSettings } from '../desired.ts';
import { patchService } from '../patch-service.ts';
import type { CommandContext } from '../run-command.ts';

export async function stop(context: CommandContext): Promise<number> {
  return await setCount(context, 'stopped', async () => 0);
}

export async function start(context: CommandContext): Promise<number> {
  return await setCount(context, 'started', async (connection, { namespace, service }, count) =>
    count > 0 ? count : await lastReplicaCount(connection.store, namespace, service),
  );
}

/** @param wanted how many replicas there shall be, from how many there are */
async function setCount(
  context: CommandContext,
  what: string,
  wanted: (connection: Connection, located: Located, count: number) => Promise<number>,
): Promise<number> {
  const [name = ''] = context.args;
  await using connection = await connect(context);
  const live = await liveReleases(connection, '');
  const located = locate({ name, namespace: null, hostname: null }, live);
  requireLive(located, live);
  const { namespace, service } = located;
  const digest = live.find((it) => it.namespace === namespace)?.services[service] ?? '';
  const spec = ServiceSpec.parse(await connection.store.specs.get(digest));
  const count = spec.placement.replicaCount;
  if (spec.job) throw unfit(`${namespace}/${service} is a job: it runs once and ends by itself`);
  if (count === null)
    throw unfit(
      `${namespace}/${service} runs on every machine that its placement admits: change its placement instead`,
    );
  return await patchService(context, connection, {
    namespace,
    patch: servicePatch({ service, replicaCount: await wanted(connection, located, count) }),
    settings: defaultSettings(),
    why: `service ${service} ${what} by hand`,
  });
}

function unfit(message: string): SlipwayError {
  return new SlipwayError('USAGE', message);
}
