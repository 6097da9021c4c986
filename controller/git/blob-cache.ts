/** Blobs by object id, the least recently used ones forgotten. What an id names never changes, so nothing expires. */
import { LRUCache } from 'lru-cache';

/** Keeps at most `maxBytes` of blobs. */
export interface BlobCache {
  get(oid: string): Uint8Array | undefined;
  set(oid: string, bytes: Uint8Array): void;
}

const OVERHEAD_BYTES = 200;

/** An empty cache. */
export function createBlobCache(maxBytes: number): BlobCache {
  const blobs = new LRUCache<string, Uint8Array>({
    maxSize: maxBytes,
    sizeCalculation: (bytes) => bytes.byteLength + OVERHEAD_BYTES,
  });
  return { get: (oid) => blobs.get(oid), set: (oid, bytes) => void blobs.set(oid, bytes) };
}
