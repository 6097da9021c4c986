/** Which port of a service a hostname leads to. Pure. */
import type { DesiredService } from '../../schemas/service.ts';
import type { ServicePatch } from './patch.ts';

/** null: the patch names no hostname, or nobody can tell which port is meant. */
export function routedPort(before: DesiredService | null, patch: ServicePatch): number | null {
  if (patch.hostname === null) return null;
  const named = patch.port ?? patch.ports.find((it) => it.protocol === 'tcp')?.port;
  if (named !== undefined) return named;
  const routed = before?.routes.find((it) => it.kind === 'http' && it.hostname === patch.hostname);
  if (routed !== undefined) return routed.port;
  const tcp = (before?.ports ?? []).filter((it) => it.protocol === 'tcp');
  const [only] = tcp;
  return tcp.length === 1 && only !== undefined ? only.port : null;
}
