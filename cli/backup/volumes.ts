/**
 * Volumes after a restore: their data is in no backup. Each is on record, so that a service whose data was not put back
 * yet fails by name instead of beginning with an empty folder.
 */
import { existsSync } from 'node:fs';
import { volumePaths } from '../../agent/volume/volume-paths.ts';
import { readVolumeRecord, writeVolumeRecord } from '../../agent/volume/volume-record.ts';
import type { Installation } from '../../schemas/installation.ts';
import type { LogEntry } from '../../schemas/release.ts';

export interface ExpectedVolume {
  readonly namespace: string;
  readonly volume: string;
  /** Where its data belongs. */
  readonly path: string;
  readonly present: boolean;
}

/** Volumes that the log has on the machine: the last entry of a namespace that lists volumes says which. Pure. */
export function volumesOnMachine(log: readonly LogEntry[], machine: string): { namespace: string; volume: string }[] {
  const last = new Map<string, readonly { volume: string; machine: string }[]>();
  for (const it of log) if (it.kind === 'release' || it.kind === 'removed') last.set(it.namespace, it.volumes);
  return [...last].flatMap(([namespace, rows]) =>
    rows.filter((it) => it.machine === machine).map(({ volume }) => ({ namespace, volume })),
  );
}

/** Every volume of this machine is on record; gives where the data of each belongs, and whether it is there. */
export async function expectVolumes(args: {
  readonly root: string;
  readonly installation: Installation;
  readonly log: readonly LogEntry[];
}): Promise<ExpectedVolume[]> {
  const { root, installation, log } = args;
  const expected: ExpectedVolume[] = [];
  for (const { namespace, volume } of volumesOnMachine(log, installation.machine)) {
    const paths = volumePaths(root, namespace, volume);
    if ((await readVolumeRecord(paths.record)) === null) {
      const row = { version: 1, installation: installation.id, namespace, volume } as const;
      await writeVolumeRecord(paths.record, { ...row, state: 'ready' });
    }
    expected.push({ namespace, volume, path: paths.data, present: existsSync(paths.data) });
  }
  return expected;
}
