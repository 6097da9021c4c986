/** What the gateway remembers across restarts: the table it serves and which section stands for which backend. */
import { readFile } from 'node:fs/promises';
import { writeDurable } from '../../store/durable-file.ts';
import { type Assignment, emptyAssignment } from './assign.ts';
import type { GatewayTable } from './layout.ts';

export interface GatewayState {
  readonly assignment: Assignment;
  readonly table: GatewayTable;
}

/** Nothing is routed; only spares. */
export const emptyState: GatewayState = {
  assignment: emptyAssignment,
  table: { http: [], tcp: [], backends: [] },
};

/** The state on disk; null: there is none that can be read. */
export async function readState(path: string): Promise<GatewayState | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isState(value) ? value : null;
  } catch {
    return null;
  }
}

/** The state is on disk, whole, also after a power cut. */
export async function writeState(path: string, { assignment, table }: GatewayState): Promise<void> {
  const { http, tcp, backends } = table;
  await writeDurable(path, `${JSON.stringify({ assignment, table: { http, tcp, backends } })}\n`);
}

function isState(value: unknown): value is GatewayState {
  const state = value as Partial<GatewayState> | null;
  const { assignment, table } = state ?? {};
  return (
    Number.isInteger(assignment?.sectionCount) &&
    typeof assignment?.sections === 'object' &&
    [table?.http, table?.tcp, table?.backends].every(Array.isArray)
  );
}
