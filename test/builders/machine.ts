/** Builder for machines as plans see them. */
import type { MachineView } from '../../controller/plan/input.ts';
import type { Machine } from '../../schemas/observed.ts';

/** A machine without labels whose memory is not known. */
export function machine(
  overrides: Partial<Machine> & { readonly memoryBytes?: number | null; readonly cpuMillicores?: number | null } = {},
): MachineView {
  const { memoryBytes = null, cpuMillicores = null, ...rest } = overrides;
  return {
    machine: { name: 'm1', labels: {}, region: null, zone: null, registeredAt: '2026-01-01T00:00:00.000Z', ...rest },
    memoryBytes,
    cpuMillicores,
  };
}
