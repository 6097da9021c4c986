/** Levels: what can begin at the same time, from who waits for whom. */
import { byText } from './order.ts';

/** Something with steps in this plan, and the names of what has to be done before. */
export interface Waiting {
  readonly name: string;
  readonly waitsFor: readonly string[];
}

/** One work on the way down, and the next of those it waits for. */
interface Frame {
  readonly name: string;
  readonly waits: readonly string[];
  next: number;
  level: number;
}

/**
 * Name → level from 0: one more than the highest it waits for. Names that are not among `works` add no wait.
 *
 * Services that are exchanged in one swap are one work, so a circle can arise though the manifest has none (a waits for
 * b, b for c, and a and c share a port): the wait that would close it is left out, always the same one.
 */
export function levelsOf(works: readonly Waiting[]): Map<string, number> {
  const byName = new Map(works.map((it) => [it.name, it]));
  const levels = new Map<string, number>();
  const open = new Set<string>();
  const enter = (name: string): Frame => {
    open.add(name);
    const waits = (byName.get(name)?.waitsFor ?? []).filter((it) => byName.has(it)).toSorted(byText);
    return { name, waits, next: 0, level: 0 };
  };
  for (const root of works.map((it) => it.name).toSorted(byText)) {
    if (levels.has(root)) continue;
    // Own stack: a chain of thousands of services must not end in a RangeError.
    const stack = [enter(root)];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const wait = frame.waits[frame.next];
      if (wait === undefined) {
        levels.set(frame.name, frame.level);
        stack.pop();
        continue;
      }
      const level = levels.get(wait);
      if (level === undefined && !open.has(wait)) {
        stack.push(enter(wait));
        continue;
      }
      frame.level = Math.max(frame.level, level === undefined ? 0 : level + 1);
      frame.next += 1;
    }
  }
  return levels;
}

/** The names and everything that they wait for, directly or not. */
export function closureOf(names: Iterable<string>, works: readonly Waiting[]): Set<string> {
  const byName = new Map(works.map((it) => [it.name, it]));
  const found = new Set<string>();
  const stack = [...names];
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    stack.push(...(byName.get(name)?.waitsFor ?? []).filter((it) => byName.has(it) && !found.has(it)));
  }
  return found;
}
