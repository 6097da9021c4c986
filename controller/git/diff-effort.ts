/**
 * How much work it is to compare two texts, before anybody does it: lines that strangers write can make a comparison take
 * minutes and gigabytes. Pure.
 */

/**
 * Steps that a comparison by "An O(NP) Sequence Comparison Algorithm" (Wu, Manber, Myers) takes; null: more than `most`.
 * Counts as that algorithm goes, and keeps nothing of the way.
 */
export function diffEffort(a: readonly string[], b: readonly string[], most: number): number | null {
  const numbers = new Map<string, number>();
  const [short, long] = [
    numbered(a.length < b.length ? a : b, numbers),
    numbered(a.length < b.length ? b : a, numbers),
  ];
  const delta = long.length - short.length;
  const offset = short.length + 1;
  const furthest = new Int32Array(short.length + long.length + 3).fill(-1);
  let steps = 0;
  const at = (k: number) => furthest[k + offset] ?? -1;
  const snake = (k: number): void => {
    let y = Math.max(at(k - 1) + 1, at(k + 1));
    while (y - k < short.length && y < long.length && short[y - k] === long[y]) y++;
    furthest[k + offset] = y;
    steps++;
  };
  for (let p = 0; at(delta) < long.length; p++) {
    for (let k = -p; k < delta; k++) snake(k);
    for (let k = delta + p; k >= delta; k--) snake(k);
    if (steps > most) return null;
  }
  return steps;
}

function numbered(lines: readonly string[], numbers: Map<string, number>): Int32Array {
  return Int32Array.from(lines, (line) => {
    const known = numbers.get(line) ?? numbers.size;
    numbers.set(line, known);
    return known;
  });
}
