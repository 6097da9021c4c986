/** The gateway: HAProxy runs with our configuration, and the ports that it should have are its own. */
import { gatewayPaths } from '../../agent/gateway/paths.ts';
import { portHolders } from '../../agent/gateway/port-holder.ts';
import { findProcesses, masters } from '../../agent/gateway/process.ts';
import { readState } from '../../agent/gateway/state.ts';
import type { InstallationDeps } from './deps.ts';
import { type Finding, fail, ok } from './finding.ts';

const AGAIN = 'the agent starts it: `slipway up --detach`';

export async function checkGateway({ paths, installation }: InstallationDeps): Promise<Finding[]> {
  const files = gatewayPaths(paths.gateway, installation.id);
  const processes = await findProcesses(files.config);
  const master = masters(processes)[0];
  const table = (await readState(files.state))?.table ?? null;
  const tcp = [...new Set((table?.tcp ?? []).map((it) => it.listenPort))].toSorted((a, b) => a - b);
  const ports = [installation.httpPort, ...tcp];
  const holders = await portHolders(new Set(ports));
  const own = new Set(processes.map((it) => it.pid));
  return [
    master === undefined
      ? fail('gateway', `HAProxy does not run; ${files.log} says why`, AGAIN)
      : ok('gateway', `HAProxy runs (pid ${master.pid})`),
    ...ports.map((port) =>
      portVerdict({ port, isHttp: port === installation.httpPort, holder: holders.get(port) ?? null, own }),
    ),
  ];
}

/** Whose port it is. Pure. */
export function portVerdict(args: {
  readonly port: number;
  readonly isHttp: boolean;
  /** `nginx (pid 812)`; null: nobody listens, or it cannot be told. */
  readonly holder: string | null;
  readonly own: ReadonlySet<number>;
}): Finding {
  const { port, isHttp, holder, own } = args;
  const name = `port ${port}`;
  const what = isHttp ? 'http of the gateway' : 'a tcp route of the gateway';
  if (holder === null) return fail(name, `${what}: nobody listens there`, AGAIN);
  const pid = Number(/\(pid (\d+)\)$/.exec(holder)?.[1]);
  if (own.has(pid)) return ok(name, what);
  const free = `stop that program (\`ps -fp ${pid}\` shows it)`;
  const next = isHttp
    ? `${free}, or take another port: \`slipway up --detach --http-port PORT\``
    : `${free}, or give the route another listen_port`;
  return fail(name, `${what}, but it is held by ${holder}`, next);
}
