/** How many commands one user may give in a minute: what comes beyond is ignored, and costs the forge's limits nothing. */
export interface Pace {
  /** Counts one, and says whether it is still within the pace. */
  isWithin(userId: number): boolean;
}

const MOST = 20;
const MINUTE_MS = 60_000;

export function createPace({ now }: { readonly now: () => number }): Pace {
  const given = new Map<number, number[]>();
  return {
    isWithin(userId) {
      const atMs = now();
      for (const [user, times] of given) if ((times.at(-1) ?? 0) <= atMs - MINUTE_MS) given.delete(user);
      const recent = (given.get(userId) ?? []).filter((it) => it > atMs - MINUTE_MS);
      if (recent.length >= MOST) return false;
      given.set(userId, [...recent, atMs]);
      return true;
    },
  };
}
