/** Disk space where images and state lie. */
import { diskUsage } from '../../agent/disk-space.ts';
import type { InstallationDeps, MachineDeps } from './deps.ts';
import { type Finding, skip } from './finding.ts';
import { diskVerdict } from './verdicts.ts';

export async function checkDockerDisk({ engine }: MachineDeps, signal: AbortSignal): Promise<Finding[]> {
  const folder = await engine.info(signal).then(
    (it) => it.rootDir,
    () => null,
  );
  if (folder === null) return [skip('disk', "where Docker's images lie is not known while Docker does not answer")];
  const usage = await diskUsage(folder);
  return [usage === null ? skip('disk', `${folder} is not on this machine`) : diskVerdict('docker', folder, usage)];
}

export async function checkStateDisk({ paths }: InstallationDeps): Promise<Finding[]> {
  const usage = await diskUsage(paths.root);
  return usage === null ? [] : [diskVerdict('state', paths.root, usage)];
}
