/** Disk space where images and state lie, and when there is too little of it. The decisions are pure. */
import { z } from 'zod';

const GIB = 2 ** 30;

/** `low`: images are pruned at once. `full`: nothing is pulled either. */
export const DiskLevel = z.enum(['ok', 'low', 'full']);
export type DiskLevel = z.infer<typeof DiskLevel>;

/** What a file system has and how much of it is free to us. Inodes 0: it has no fixed number of them. */
export const DiskUsage = z.strictObject({
  totalBytes: z.int().min(0),
  freeBytes: z.int().min(0),
  totalInodes: z.int().min(0),
  freeInodes: z.int().min(0),
});
export type DiskUsage = z.infer<typeof DiskUsage>;

/** One look at a folder's file system. */
export const DiskReport = z.strictObject({
  /** `docker`: Docker's root folder. `state`: the installation's state folder. */
  what: z.enum(['docker', 'state']),
  folder: z.string(),
  ...DiskUsage.shape,
  level: DiskLevel,
});
export type DiskReport = z.infer<typeof DiskReport>;

/**
 * A level begins below the share of the file system, on a large one below the bytes: 5 % of 4 TB are no reason to
 * refuse anything. Inodes run out without bytes doing so.
 */
const LIMITS = {
  low: { share: 0.15, bytes: 20 * GIB, inodeShare: 0.05 },
  full: { share: 0.05, bytes: GIB, inodeShare: 0.01 },
} as const;

/** To leave a level takes this much more than not to reach it, so that it does not come and go. */
const LEAVE_FACTOR = 1.2;

const RANK = { ok: 0, low: 1, full: 2 } as const satisfies Record<DiskLevel, number>;

/** The level of a file system that was at `before`: worse at once, better only with some distance. */
export function diskLevel(usage: DiskUsage, before: DiskLevel = 'ok'): DiskLevel {
  const entered = levelBelow(usage, 1);
  if (RANK[entered] >= RANK[before]) return entered;
  const left = levelBelow(usage, LEAVE_FACTOR);
  return RANK[left] < RANK[before] ? left : before;
}

function levelBelow(usage: DiskUsage, factor: number): DiskLevel {
  const isBelow = ({ share, bytes, inodeShare }: (typeof LIMITS)['low' | 'full']) =>
    usage.freeBytes < factor * Math.min(share * usage.totalBytes, bytes) ||
    (usage.totalInodes > 0 && usage.freeInodes < factor * inodeShare * usage.totalInodes);
  if (isBelow(LIMITS.full)) return 'full';
  return isBelow(LIMITS.low) ? 'low' : 'ok';
}

/** The worst of them; `ok` when nothing was looked at. */
export function worstLevel(levels: readonly DiskLevel[]): DiskLevel {
  return levels.reduce<DiskLevel>((worst, it) => (RANK[it] > RANK[worst] ? it : worst), 'ok');
}

/** `1.2 GiB of 20.0 GiB free`; the inodes too where they are what is short. */
export function freeText(usage: DiskUsage): string {
  const bytes = `${sizeText(usage.freeBytes)} of ${sizeText(usage.totalBytes)} free`;
  const inodesShort = usage.totalInodes > 0 && usage.freeInodes < LIMITS.low.inodeShare * usage.totalInodes;
  return inodesShort ? `${bytes}, ${usage.freeInodes} of ${usage.totalInodes} inodes free` : bytes;
}

/** Bytes for people, in the largest unit that leaves a whole number. */
function sizeText(bytes: number): string {
  return bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
