/** Answers kept with their ETags: GitHub answers 304 to a question it answered the same before, and does not count that. */
import { LRUCache } from 'lru-cache';

export interface KeptAnswer {
  readonly etag: string;
  readonly data: unknown;
  /** The Link header: a 304 may come without one. */
  readonly link: string;
}

export interface Etags {
  get(address: string): KeptAnswer | null;
  keep(address: string, answer: KeptAnswer): void;
}

/** Longest unused ones go first. */
export function createEtags(maxBytes: number): Etags {
  const kept = new LRUCache<string, KeptAnswer>({
    maxSize: maxBytes,
    sizeCalculation: (answer, address) => address.length + 2 * JSON.stringify(answer.data).length + 200,
  });
  return {
    get: (address) => kept.get(address) ?? null,
    keep: (address, answer) => {
      kept.set(address, answer);
    },
  };
}
