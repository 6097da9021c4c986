/** Where the engine of this machine is reached. */

const DOCKER_SOCKET = '/var/run/docker.sock';

/** DOCKER_HOST when it names a socket, as Docker's own command reads it; else Docker's default. */
export function dockerSocket(env: Readonly<Record<string, string | undefined>>): string {
  const host = env['DOCKER_HOST'];
  return host?.startsWith('unix://') === true ? host.slice('unix://'.length) : DOCKER_SOCKET;
}
