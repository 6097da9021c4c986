/** The controller and what it follows: who leads, its port, and whether the fleet repository can be read. */
import { hasIpv6, takenPorts } from '../../agent/gateway/listeners.ts';
import { isDeadOwner } from '../../controller/execute/lease-owner.ts';
import { readSourceReport } from '../../controller/source-report.ts';
import { openTracked, readTracked } from '../../controller/tracked.ts';
import { silentLogger } from '../../schemas/logger.ts';
import { DEFAULT_HOOK_PORT } from '../commands/controller.ts';
import { runningCommands } from '../up/running-commands.ts';
import type { InstallationDeps } from './deps.ts';
import { type Finding, fail, info, ok, reasonOf, skip, warn } from './finding.ts';

export async function checkController({ store, installation }: InstallationDeps): Promise<Finding[]> {
  const connected = await store().catch(() => null);
  if (connected === null) return [skip('controller', 'NATS does not answer')];
  const holder = await connected.leases.holder(['controller']);
  if (holder !== null && !isDeadOwner(holder, installation.machine)) return [ok('controller', holder)];
  const without = 'none runs: commits are not followed; workloads, gateway and commands work without it';
  return [info('controller', without, '`slipway up`, or `slipway controller` under a service manager')];
}

export async function checkHookPort({ paths }: InstallationDeps): Promise<Finding[]> {
  const name = `port ${DEFAULT_HOOK_PORT}`;
  const [taken] = await takenPorts([DEFAULT_HOOK_PORT], await hasIpv6());
  if (taken === undefined) return [ok(name, 'for POST /hooks/push of a controller: free')];
  const own = await runningCommands(paths);
  if (own.some((pid) => taken.holder.endsWith(`(pid ${pid})`)))
    return [ok(name, 'our controller listens for POST /hooks/push')];
  return [
    warn(
      name,
      `the default port for POST /hooks/push is held by ${taken.holder}`,
      'give the controller another one: `slipway up --hook-port PORT`',
    ),
  ];
}

export async function checkSource({ store, paths, env }: InstallationDeps, signal: AbortSignal): Promise<Finding[]> {
  const connected = await store().catch(() => null);
  if (connected === null) return [skip('source', 'NATS does not answer')];
  const cluster = connected.bucket('cluster');
  const tracked = await readTracked(cluster);
  if (tracked === null) return [info('source', 'no fleet repository is followed', '`slipway up --repo PATH_OR_URL`')];
  const what = `${tracked.location}, branch ${tracked.branch}`;
  try {
    const revision = await openTracked({ tracked, paths, env, log: silentLogger }).tip(signal);
    return [ok('source', `${what}: at ${revision.slice(0, 10)}`)];
  } catch (error) {
    const why = signal.aborted ? 'no answer in time' : reasonOf(error);
    const text = `${what}: ${why}. Nothing is removed for it`;
    const report = await readSourceReport(cluster);
    // The controller may have a token that this command was not given.
    if (report?.kind === 'ok' && env['SLIPWAY_GIT_TOKEN'] === undefined && /^https?:/.test(tracked.location)) {
      return [
        warn(
          'source',
          `${text}; the controller read it at ${report.at}`,
          'give this command the token too: `SLIPWAY_GIT_TOKEN=… slipway doctor`',
        ),
      ];
    }
    return [
      fail(
        'source',
        text,
        'mend the repository or its address: `slipway up --repo PATH_OR_URL --branch NAME`; a token goes in SLIPWAY_GIT_TOKEN',
      ),
    ];
  }
}
