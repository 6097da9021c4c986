/** NATS: runs, answers, keeps what is written, and has room for more. */
import { diskUsage } from '../../agent/disk-space.ts';
import { freeText } from '../../schemas/disk.ts';
import { isSlipwayError } from '../../schemas/errors.ts';
import { embeddedPaths } from '../../store/embedded/config.ts';
import { findServer } from '../../store/embedded/find.ts';
import { RESERVE_BYTES } from '../../store/nats/room.ts';
import type { InstallationDeps } from './deps.ts';
import { type Finding, fail, ok, reasonOf } from './finding.ts';

export async function checkNats(deps: InstallationDeps): Promise<Finding[]> {
  const { installation, paths } = deps;
  const embedded = installation.natsUrl === null;
  const paths_ = embeddedPaths(paths.nats);
  const process_ = embedded ? await findServer(paths_.config) : null;
  const again = embedded
    ? `\`slipway up --detach\` starts it; ${paths_.log} says why it ended. What is live goes on serving meanwhile`
    : 'start that server, or name another: `slipway up --detach --nats URL`. What is live goes on serving meanwhile';
  if (embedded && process_ === null) return [fail('nats', 'the embedded nats-server does not run', again)];
  try {
    const { version, jetstream } = await deps.nats();
    if (jetstream === null)
      return [
        fail(
          'nats',
          `version ${version} answers, but JetStream does not`,
          embedded ? again : 'turn JetStream on (`nats-server -js`)',
        ),
      ];
    const where = process_ === null ? '' : ` (pid ${process_.pid})`;
    const size = `${jetstream.streamCount} streams, ${(jetstream.storedBytes / 2 ** 20).toFixed(1)} MiB`;
    return [
      ok('nats', `version ${version}${where}, JetStream on: ${size}`),
      ...(embedded ? await room(paths_.store) : []),
    ];
  } catch (error) {
    const old = isSlipwayError(error, 'SETUP_FAILED');
    return [fail('nats', reasonOf(error), old ? 'upgrade nats-server, then `slipway up --detach`' : again)];
  }
}

async function room(folder: string): Promise<Finding[]> {
  const usage = await diskUsage(folder);
  if (usage === null || usage.freeBytes >= RESERVE_BYTES) return [];
  return [
    fail(
      'nats store',
      `no space for more in ${folder}: ${freeText(usage)}`,
      `free some space in ${folder}; deploys wait until then`,
    ),
  ];
}
