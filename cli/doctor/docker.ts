/** The Docker engine: answers, is new enough, and stores images in a way that works. */
import { access, constants, stat } from 'node:fs/promises';
import { OLDEST } from '../../deploy/setup/programs.mjs';
import type { MachineDeps } from './deps.ts';
import { type Finding, fail, ok, reasonOf, warn } from './finding.ts';
import { versionVerdict } from './verdicts.ts';

/** Drivers that copy whole images for each container, or that Docker gave up. */
const SLOW_DRIVERS: ReadonlySet<string> = new Set(['vfs', 'devicemapper', 'aufs']);

export async function checkDocker({ engine, socketPath }: MachineDeps, signal: AbortSignal): Promise<Finding[]> {
  try {
    const { version, rootDir, storageDriver } = await engine.info(signal);
    const upgrade = 'upgrade Docker (https://docs.docker.com/engine/install/)';
    const verdict = versionVerdict({ name: 'docker', said: version, oldest: OLDEST.dockerd, upgrade });
    return [{ ...verdict, detail: `${verdict.detail}, images in ${rootDir}` }, driver(storageDriver)];
  } catch (error) {
    return [await unanswered(socketPath, reasonOf(error))];
  }
}

function driver(name: string): Finding {
  if (!SLOW_DRIVERS.has(name)) return ok('docker storage', name);
  const next =
    'set "storage-driver": "overlay2" in /etc/docker/daemon.json and restart Docker (images are pulled again)';
  return warn('docker storage', `${name}: every container gets a copy of its image`, next);
}

async function unanswered(socketPath: string, reason: string): Promise<Finding> {
  const there = await stat(socketPath).then(
    () => true,
    () => false,
  );
  if (!there) {
    const next =
      'start Docker (`systemctl start docker`; without a service manager `dockerd`), or name its socket with DOCKER_HOST=unix://PATH';
    return fail('docker', `${socketPath} is missing: Docker does not run`, next);
  }
  const allowed = await access(socketPath, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!allowed) return fail('docker', `${socketPath} is not for this user`, 'run it as root (`sudo slipway doctor`)');
  return fail(
    'docker',
    `nobody answers at ${socketPath}: ${reason}`,
    'restart Docker (`systemctl restart docker`); `journalctl -u docker` says why it stopped',
  );
}
