/** Statistics of instances as rows of a table. Pure. */

export interface Sample {
  readonly namespace: string;
  readonly slot: string;
  readonly machine: string;
  readonly at: string;
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly rxBytes: number;
  readonly txBytes: number;
}

export const STATS_HEAD = ['INSTANCE', 'MACHINE', 'CPU', 'MEMORY', 'LIMIT', 'MEM %', 'NET IN', 'NET OUT'];

/** One row an instance, in order of name. */
export function statsRows(samples: readonly Sample[]): string[][] {
  const name = (it: Sample) => `${it.namespace}/${it.slot}`;
  return samples
    .toSorted((a, b) => name(a).localeCompare(name(b), 'en', { numeric: true }) || (a.machine < b.machine ? -1 : 1))
    .map((it) => [
      name(it),
      it.machine,
      `${it.cpuMillicores}m`,
      bytesText(it.memoryBytes),
      it.memoryLimitBytes === 0 ? 'none' : bytesText(it.memoryLimitBytes),
      it.memoryLimitBytes === 0 ? '' : `${((it.memoryBytes / it.memoryLimitBytes) * 100).toFixed(1)} %`,
      bytesText(it.rxBytes),
      bytesText(it.txBytes),
    ]);
}

/** Bytes as a person reads them, binary units with one decimal: `12.5Mi`. */
function bytesText(bytes: number): string {
  const units = ['', 'Ki', 'Mi', 'Gi', 'Ti'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${value}` : `${value.toFixed(1)}${units[unit] ?? ''}`;
}
