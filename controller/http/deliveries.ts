/** Ids of hook deliveries that came before, the oldest forgotten first. */

/** A bounded set of ids. */
export interface Deliveries {
  /** True the first time an id is given. */
  isNew(id: string): boolean;
}

/** Remembers the last `limit` ids. */
export function createDeliveries(limit: number): Deliveries {
  const seen = new Set<string>();
  return {
    isNew(id) {
      const known = seen.delete(id);
      seen.add(id);
      for (const oldest of seen) {
        if (seen.size <= limit) break;
        seen.delete(oldest);
      }
      return !known;
    },
  };
}
