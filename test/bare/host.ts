/** A container as a bare machine: own network, own processes, may run Docker inside, has Node, npm and git. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findProgram } from '../../deploy/setup/find-program.mjs';
import { attempt, type CommandOptions, type Ended, run } from './command.ts';
import type { Registries } from './registries.ts';

/**
 * Everything a nested engine, a bridge, a packet filter and their tests need. Not among them: SYS_RESOURCE, which a
 * machine that is a container itself cannot give, and SYS_TIME, which would set the clock of all.
 */
const CAPABILITIES = `AUDIT_CONTROL AUDIT_READ BLOCK_SUSPEND DAC_READ_SEARCH IPC_LOCK IPC_OWNER LEASE LINUX_IMMUTABLE
MAC_ADMIN MAC_OVERRIDE NET_ADMIN NET_BROADCAST SYS_ADMIN SYS_BOOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO
SYS_TTY_CONFIG SYSLOG WAKE_ALARM`.split(/\s+/);

/** Process 1 that does what every init does and `sleep` does not: takes the exit of orphans. */
const INIT = ['bash', '-c', 'while :; do sleep 3600 & wait; done'];

export interface BareHost {
  readonly name: string;
  /** The end of a program inside, whatever its exit code. */
  attempt(argv: readonly string[], options?: Partial<CommandOptions>): Promise<Ended>;
  /** The output of a program inside. @throws when its exit code is not 0 */
  run(argv: readonly string[], options?: Partial<CommandOptions>): Promise<string>;
  /** Removes the host, everything in it and its image. */
  remove(): Promise<void>;
}

/** Starts the host from the archive of its file system. */
export async function startBareHost(given: {
  archive: string;
  registries: Registries;
  signal: AbortSignal;
}): Promise<BareHost> {
  const { archive, registries, signal } = given;
  const name = `slipway-bare-${randomBytes(3).toString('hex')}`;
  const npmFolder = dirname(
    dirname(await realpath(process.env['npm_execpath'] ?? (await findProgram('npm', process.env)) ?? 'npm')),
  );
  const never = new AbortController().signal;
  const remove = async () => {
    await attempt(['docker', 'rm', '-f', '-v', name], { signal: never });
    await attempt(['docker', 'rmi', name], { signal: never });
  };
  try {
    await run(['docker', 'import', archive, name], { signal });
    const options = [
      ['-d', '--name', name, '--hostname', 'bare', '--label', 'slipway-bare=1'],
      CAPABILITIES.flatMap((it) => ['--cap-add', it]),
      ['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'],
      ['--device', '/dev/net/tun', '--device', '/dev/fuse', '--tmpfs', '/run'],
      ['--cgroupns', 'host', '-v', '/sys/fs/cgroup:/sys/fs/cgroup:rw', '-v', '/var/lib/docker'],
      ['-v', `${process.execPath}:/usr/local/bin/node:ro`, '-v', `${npmFolder}:/usr/local/lib/node_modules/npm:ro`],
      Object.entries(registries.environment).flatMap(([key, value]) => ['-e', `${key}=${value}`]),
      ['-e', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', '-e', 'HOME=/root'],
    ];
    await run(['docker', 'run', ...options.flat(), name, ...INIT], { signal });
    const inside = (command: readonly string[]) => ['docker', 'exec', '-i', '-w', '/root', name, ...command];
    const host: BareHost = {
      name,
      attempt: (command, options) => attempt(inside(command), { signal, ...options }),
      run: (command, options) => run(inside(command), { signal, ...options }),
      remove,
    };
    await furnish(host, registries, signal);
    return host;
  } catch (error) {
    await remove();
    throw error;
  }
}

/** What an administrator of this network would set on every machine: package servers and certificates. */
async function furnish(host: BareHost, registries: Registries, signal: AbortSignal): Promise<void> {
  await host.run(['mount', '-o', 'remount,rw', '/proc/sys']);
  await host.run(['mkdir', '-p', '/run/lock']);
  await host.run(['ln', '-s', '../lib/node_modules/npm/bin/npm-cli.js', '/usr/local/bin/npm']);
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bare-'));
  try {
    const files: Record<string, string> = {
      '/etc/apt/sources.list': registries.aptSources,
      '/etc/apt/apt.conf.d/99registries': registries.aptSettings,
    };
    for (const [path, text] of Object.entries(files)) {
      await writeFile(join(folder, 'file'), text);
      await run(['docker', 'cp', join(folder, 'file'), `${host.name}:${path}`], { signal });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const { certificates } = registries;
  if (certificates !== undefined) {
    await run(['docker', 'cp', '-L', certificates, `${host.name}:${certificates}`], { signal });
  }
}
