/**
 * Refuses a write while the disk of the server's files is nearly full. nats-server 2.9 locks up for good, reads
 * included, when the disk refuses it a write into a block that has messages already; so it must not come to that.
 */
import { statfs } from 'node:fs/promises';
import { SlipwayError } from '../../schemas/errors.ts';

/** @throws STATE_FULL */
export type RoomCheck = () => Promise<void>;

/** Below this much free space nothing is written. */
export const RESERVE_BYTES = 8 * 1024 * 1024;
const LOOK_EVERY_MS = 100;

/** @param dir folder of the server's files on this machine */
export function createRoomCheck(dir: string): RoomCheck {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let freeBytes = Promise.resolve(0);

  return async () => {
    if (performance.now() - lookedAt > LOOK_EVERY_MS) {
      lookedAt = performance.now();
      freeBytes = statfs(dir).then(({ bavail, bsize }) => bavail * bsize);
    }
    if ((await freeBytes) >= RESERVE_BYTES) return;
    throw new SlipwayError('STATE_FULL', `the disk of the NATS store is full: free some space in ${dir}`, { dir });
  };
}
