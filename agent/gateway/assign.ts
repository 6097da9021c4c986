/**
 * Which backend of HAProxy stands for which service. Backends cannot be made while it runs, so they are rendered ahead
 * as spares and handed out. Pure; a key keeps its section as long as it is wanted.
 */

export interface Assignment {
  /** Sections are b0 … b(sectionCount-1); never shrinks. */
  readonly sectionCount: number;
  /** Backend key → section. */
  readonly sections: Readonly<Record<string, string>>;
}

const STEP = 64;

/** What a new installation starts with: only spares. */
export const emptyAssignment: Assignment = { sectionCount: STEP, sections: {} };

/**
 * A section for every key. `occupied` are sections that still hold servers: they are given to nobody new. When spares
 * run out there will be at least half a step of new ones (which takes a reload).
 */
export function assign(previous: Assignment, keys: readonly string[], occupied: ReadonlySet<string>): Assignment {
  const kept = keys.flatMap((key) => {
    const section = previous.sections[key];
    return section === undefined ? [] : [[key, section] as const];
  });
  const taken = new Set([...kept.map(([, section]) => section), ...occupied]);
  const free = (count: number) =>
    Array.from({ length: count }, (_, index) => `b${index}`).filter((it) => !taken.has(it));
  const fresh = keys.filter((key) => previous.sections[key] === undefined).toSorted();
  const spares = free(previous.sectionCount);
  const missing = fresh.length - spares.length;
  const sectionCount =
    missing <= 0 ? previous.sectionCount : previous.sectionCount + Math.ceil((missing + STEP / 2) / STEP) * STEP;
  const available = missing <= 0 ? spares : free(sectionCount);
  const given = fresh.map((key, index) => [key, available[index] ?? ''] as const);
  const sections = Object.fromEntries([...kept, ...given].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { sectionCount, sections };
}
