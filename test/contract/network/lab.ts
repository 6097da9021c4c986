/** Real containers on real bridges for the tests of this folder; removes what it made. */
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import type { EngineNetwork } from '../../../agent/docker/port.ts';
import { createNetwork, type EngineNetworks } from '../../../agent/network/network.ts';
import type { Network } from '../../../agent/ports.ts';
import { silentLogger } from '../../../schemas/logger.ts';

const run = promisify(execFile);

/** Networks of the engine, straight over dockerode. */
export function dockerNetworks(docker = new Docker()): EngineNetworks {
  return {
    async listNetworks() {
      return (await docker.listNetworks()).map(
        (it): EngineNetwork => ({
          id: it.Id,
          name: it.Name,
          driver: it.Driver,
          labels: it.Labels ?? {},
          options: it.Options ?? {},
          subnet: it.IPAM?.Config?.[0]?.Subnet ?? null,
          gatewayAddress: it.IPAM?.Config?.[0]?.Gateway ?? null,
        }),
      );
    },
    async createNetwork(config) {
      const network = await docker.createNetwork({
        Name: config.name,
        CheckDuplicate: true,
        Driver: 'bridge',
        Labels: { ...config.labels },
        Options: { ...config.options },
        IPAM: { Driver: 'default', Config: [{ Subnet: config.subnet, Gateway: config.gatewayAddress }] },
      });
      return network.id;
    },
    async removeNetwork(id) {
      await docker.getNetwork(id).remove();
    },
  };
}

export interface Lab {
  readonly installation: { readonly id: string; readonly bridge: string; readonly subnetIndex: number };
  readonly network: Network;
  /** Starts a container on the network; gives its id and address. */
  container(argv: readonly string[], options?: readonly string[]): Promise<{ id: string; address: string }>;
  /** Runs in the container; gives its exit code and all it said. */
  exec(id: string, argv: readonly string[], timeoutMs?: number): Promise<{ code: number; output: string }>;
  close(): Promise<void>;
}

/** An installation of its own on the /24 of this index. */
export async function openLab(subnetIndex: number): Promise<Lab> {
  const installation = { id: randomBytes(4).toString('hex'), bridge: `slipt${subnetIndex}`, subnetIndex };
  const image = `slipway-test-busybox:${installation.id}`;
  await buildImage(image);
  const network = createNetwork({ engine: dockerNetworks(), installation, log: silentLogger });
  const containers: string[] = [];
  await network.ensure();
  return {
    installation,
    network,
    async container(argv, options = []) {
      const name = `slipway-${installation.id}`;
      const label = `slipway.installation=${installation.id}`;
      const { stdout } = await run('docker', [
        'run',
        '-d',
        '--init',
        '--network',
        name,
        '--label',
        label,
        ...options,
        image,
        ...argv,
      ]);
      const id = stdout.trim();
      containers.push(id);
      const format = `{{(index .NetworkSettings.Networks "${name}").IPAddress}}`;
      const address = (await run('docker', ['inspect', '-f', format, id])).stdout.trim();
      return { id, address };
    },
    exec: async (id, argv, timeoutMs = 10_000) => {
      try {
        const { stdout, stderr } = await run('docker', ['exec', id, ...argv], { timeout: timeoutMs });
        return { code: 0, output: stdout + stderr };
      } catch (error) {
        const { code, stdout = '', stderr = '' } = error as { code?: number; stdout?: string; stderr?: string };
        return { code: typeof code === 'number' ? code : -1, output: stdout + stderr };
      }
    },
    async close() {
      if (containers.length > 0) await run('docker', ['rm', '-f', ...containers]);
      await network.remove();
      await run('docker', ['rmi', image]);
    },
  };
}

/** Whether a TCP connection from the container to the address is accepted within a second. */
export async function connects(lab: Lab, id: string, address: string, port = 8080): Promise<boolean> {
  return (await lab.exec(id, connectArgv(address, port))).code === 0;
}

/** Whether a TCP connection from the host is accepted within a second. */
export function hostConnects(address: string, port = 8080): boolean {
  return spawnSync('/bin/busybox', connectArgv(address, port).slice(1), { timeout: 3000 }).status === 0;
}

/** Exits with 0 when the connection is accepted within a second. */
export function connectArgv(address: string, port: number): string[] {
  return ['/bin/busybox', 'nc', '-w', '1', address, String(port), '-e', '/bin/busybox', 'true'];
}

/** What a container runs that others connect to. */
export const WEB = ['/bin/busybox', 'httpd', '-f', '-p', '8080', '-h', '/'] as const;

async function buildImage(tag: string): Promise<void> {
  const dir = await mkdtemp(`${tmpdir()}/slipway-image-`);
  try {
    await copyFile('/bin/busybox', `${dir}/busybox`);
    const init = 'COPY busybox /bin/busybox\nCMD ["/bin/busybox", "sleep", "3600"]\n';
    await writeFile(`${dir}/Dockerfile`, `FROM scratch\n${init}`);
    await run('docker', ['build', '-q', '-t', tag, dir], { env: { ...process.env, DOCKER_BUILDKIT: '0' } });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
