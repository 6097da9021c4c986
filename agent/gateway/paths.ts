/** Where everything of one installation's gateway lies. Pure. */
import { SlipwayError } from '../../schemas/errors.ts';

/** HAProxy binds a unix socket under a longer, temporary name; Linux takes 107 characters. Source: unix(7). */
const LONGEST_SOCKET = 90;

/** The configuration's name holds the installation, so that our processes are known by their argv. */
export function gatewayPaths(dir: string, installation: string) {
  const paths = {
    dir,
    config: `${dir}/slipway-${installation}.cfg`,
    /** A configuration that HAProxy has not yet found valid. */
    candidate: `${dir}/candidate.cfg`,
    routes: `${dir}/routes.map`,
    state: `${dir}/state.json`,
    log: `${dir}/haproxy.log`,
    masterSocket: `${dir}/master.sock`,
    adminSocket: `${dir}/admin.sock`,
    handoverSocket: `${dir}/handover.sock`,
  } as const;
  if (paths.handoverSocket.length > LONGEST_SOCKET) {
    throw new SlipwayError('SETUP_FAILED', `${dir} is too long a path for sockets: choose a shorter state directory`);
  }
  return paths;
}
export type GatewayPaths = ReturnType<typeof gatewayPaths>;
