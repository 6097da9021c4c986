/** The record that a resolver keeps of itself in its folder, and that an agent adopts or ends it by. */
import { readFile, rm } from 'node:fs/promises';
import { writeDurable } from '../../store/durable-file.ts';
import type { ProcessRecord } from '../../store/process-record.ts';

/** `bound`: it has its sockets; before that, `problem` says what it waits for. */
export interface ResolverRecord extends ProcessRecord {
  readonly listen: string;
  readonly port: number;
  readonly bound: boolean;
  readonly problem: string | null;
}

/** Files in the folder of the resolver. */
export function resolverFiles(dir: string) {
  return { snapshot: `${dir}/names.json`, record: `${dir}/resolver.json`, log: `${dir}/resolver.log` } as const;
}

/** Null when there is none that can be read. */
export async function readRecord(dir: string): Promise<ResolverRecord | null> {
  try {
    const record = JSON.parse(await readFile(resolverFiles(dir).record, 'utf8')) as Partial<ResolverRecord> | null;
    const { pid, startTicks, bootId, listen, port, bound, problem = null, build } = record ?? {};
    if (!Number.isSafeInteger(pid) || pid === undefined || pid <= 1) return null;
    if (typeof startTicks !== 'string' || typeof bootId !== 'string') return null;
    if (typeof listen !== 'string' || typeof port !== 'number') return null;
    const more = typeof build === 'string' ? { build } : {};
    return { pid, startTicks, bootId, listen, port, bound: bound === true, problem, ...more };
  } catch {
    return null;
  }
}

/** Replaces the record. */
export async function writeRecord(dir: string, record: ResolverRecord): Promise<void> {
  await writeDurable(resolverFiles(dir).record, `${JSON.stringify(record)}\n`);
}

/** Removes the record, if it is that of the process. */
export async function removeRecord(dir: string, pid: number): Promise<void> {
  if ((await readRecord(dir))?.pid === pid) await rm(resolverFiles(dir).record, { force: true });
}
