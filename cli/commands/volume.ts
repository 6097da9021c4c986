/** `slipway volume ls` and `slipway volume rm`: what namespaces keep, also when they are gone, until somebody says so. */
import { readVolumes, type VolumeStatus } from '../../controller/execute/volumes.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { connect } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../run-command.ts';
import { unknownNamespace } from './resume.ts';

/** How long the command waits for another executor of the namespace. */
const WAIT_FOR_LEASE_MS = 35_000;

export async function volumeLs(context: CommandContext): Promise<number> {
  const [namespace] = context.args;
  const { output } = context;
  await using connection = await connect(context);
  const known = await connection.store.log.namespaces();
  if (namespace !== undefined && !known.includes(namespace)) throw unknownNamespace(namespace, known);
  const volumes = (await readVolumes(connection.store)).filter(
    (it) => namespace === undefined || it.namespace === namespace,
  );
  output.result(volumes, () => {
    if (volumes.length === 0) output.line('there are no volumes');
    else
      output.table(
        ['VOLUME', 'MACHINE', 'USED BY', 'STATE'],
        volumes.map((it) => [`${it.namespace}/${it.volume}`, it.machine, it.users.join(', ') || '-', stateOf(it)]),
      );
  });
  return EXIT.ok;
}

export async function volumeRm(context: CommandContext): Promise<number> {
  const [target = ''] = context.args;
  const { output } = context;
  const [namespace = '', volume = '', ...rest] = target.split('/');
  if (namespace === '' || volume === '' || rest.length > 0)
    throw new SlipwayError('USAGE', `${target} is not NAMESPACE/VOLUME, like production/data`);
  await using connection = await connect(context);
  const known = await connection.store.log.namespaces();
  if (!known.includes(namespace)) throw unknownNamespace(namespace, known);
  const { machines, n } = await connection.removeVolume({
    namespace,
    volume,
    signal: context.signal,
    confirmed: context.options['yes'] === true,
    waitForLeaseMs: WAIT_FOR_LEASE_MS,
  });
  output.result({ namespace, volume, machines, entry: n }, () =>
    output.line(`${target} and its data were removed from ${machines.join(', ')}`),
  );
  return EXIT.ok;
}

function stateOf({ named, present, users }: VolumeStatus): string {
  if (present === null) return 'unknown: its machine does not answer';
  if (!present) return 'missing on its machine';
  if (!named) return 'left over: no release names it';
  return users.length === 0 ? 'unused' : 'in use';
}
