/** The configuration of the embedded nats-server, and where its files are. Pure. */
import semver from 'semver';

/** Every file of the embedded server, in one folder. */
export function embeddedPaths(dir: string) {
  return {
    config: `${dir}/nats.conf`,
    store: `${dir}/store`,
    token: `${dir}/token`,
    port: `${dir}/port`,
    url: `${dir}/url`,
    pid: `${dir}/nats.pid`,
    ports: `${dir}/ports`,
    log: `${dir}/nats.log`,
  } as const;
}

export interface ConfigInput {
  readonly dir: string;
  readonly port: number;
  readonly token: string;
  readonly version: string;
}

/**
 * It listens on loopback only, and there only to who can read the token. The limit of the store is out of reach on
 * purpose: the server's own default is a share of what is free when it starts, and stays when space is made later.
 */
export function renderConfig({ dir, port, token, version }: ConfigInput): string {
  const paths = embeddedPaths(dir);
  const sync = syncsItself(version) ? '\n  sync_interval: always' : '';
  return `listen: "127.0.0.1:${port}"
max_payload: 1048576
pid_file: ${JSON.stringify(paths.pid)}
ports_file_dir: ${JSON.stringify(paths.ports)}
log_file: ${JSON.stringify(paths.log)}
logfile_size_limit: 16777216
authorization { token: ${JSON.stringify(token)} }
jetstream {
  store_dir: ${JSON.stringify(paths.store)}
  max_file_store: 1TB
  max_memory_store: 256MB${sync}
}
`;
}

/** Whether the server can sync each write; before 2.10 it syncs once a minute and cannot be told otherwise. */
export function syncsItself(version: string): boolean {
  return semver.gte(version, '2.10.0');
}

/** Where clients connect, with what lets them in: for files that only we can read. */
export function embeddedUrl(port: number, token: string): string {
  return `nats://${token}@127.0.0.1:${port}`;
}
