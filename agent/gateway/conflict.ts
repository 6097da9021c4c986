/** Ports that a routing table wants and other programs have, as an error that names everybody. Pure. */
import { SlipwayError } from '../../schemas/errors.ts';
import type { GatewayTable } from './layout.ts';
import type { PortHolder } from './listeners.ts';

/** `namespace` and `service` are who wanted the port; for the http port, one row for each service with routes. */
export interface ListenConflict extends PortHolder {
  readonly namespace: string;
  readonly service: string;
}

/** Who of the table goes without its port. */
export function conflictsOf(table: GatewayTable, httpPort: number, blocked: readonly PortHolder[]): ListenConflict[] {
  return blocked.flatMap((it) => {
    const keys = [
      ...table.tcp.filter((route) => route.listenPort === it.port).map((route) => route.backend),
      ...(it.port === httpPort ? table.http.map((route) => route.backend) : []),
    ];
    const owners = new Set(keys.map((key) => key.split('/').slice(0, 2).join('/')));
    return [...owners].map((owner) => {
      const [namespace = '', service = ''] = owner.split('/');
      return { ...it, namespace, service };
    });
  });
}

/** The PORT_CONFLICT of `apply`. */
export function portConflict(conflicts: readonly ListenConflict[]): SlipwayError {
  const texts = conflicts.map(
    ({ port, holder, namespace, service }) =>
      `port ${port} that ${namespace}/${service} wants is held by ${holder}: stop that program or choose another port`,
  );
  return new SlipwayError('PORT_CONFLICT', texts.join('; '), { conflicts });
}
