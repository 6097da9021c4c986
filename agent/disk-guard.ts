/**
 * Keeps the disk from filling up: looks at Docker's and our own folder, prunes images where little is free, and lets no
 * pull begin where next to nothing is. What runs is never touched.
 */
import { type DiskLevel, type DiskReport, type DiskUsage, diskLevel, freeText } from '../schemas/disk.ts';
import { isSlipwayError, SlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import type { Engine } from './docker/port.ts';
import { createShared } from './locks.ts';
import type { Pressure } from './needed-images.ts';
import { sleep } from './waiting.ts';

const LOOK_EVERY_MS = 60_000;

export interface DiskGuard {
  /** Looks once a minute until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Looks now. Prunes while little is free: first what is not needed, then what only a rollback further back needs. */
  look(): Promise<void>;
  /** What the last look saw. */
  reports(): readonly DiskReport[];
  /** Does `pull` where there is room for it; once more after pruning when the disk fills up on the way. @throws DISK_FULL */
  withRoom(what: string, pull: () => Promise<void>): Promise<void>;
}

export interface DiskGuardDeps {
  readonly stateDir: string;
  readonly engine: Pick<Engine, 'info'>;
  /** null: the folder is not on this machine. */
  readonly usage: (folder: string) => Promise<DiskUsage | null>;
  readonly prune: (pressure: Pressure) => Promise<void>;
  /** Called with each change of level. */
  readonly tell: (kind: `disk.${DiskLevel}`, message: string) => void;
  readonly log: Logger;
}

const SAYS = {
  ok: 'enough space again',
  low: 'little space: images that nothing needs are removed',
  full: 'no space: images are removed and no image is pulled; what runs goes on',
} as const satisfies Record<DiskLevel, string>;

const NAMES = { docker: "Docker's folder", state: 'the state folder' } as const satisfies Record<
  DiskReport['what'],
  string
>;

export function createDiskGuard(deps: DiskGuardDeps): DiskGuard {
  const { stateDir, engine, usage, prune, tell, log } = deps;
  let dockerDir: string | null = null;
  let seen: readonly DiskReport[] = [];

  async function measure(what: DiskReport['what'], folder: string): Promise<DiskReport[]> {
    const found = await usage(folder);
    const before = seen.find((it) => it.what === what)?.level ?? 'ok';
    return found === null ? [] : [{ what, folder, ...found, level: diskLevel(found, before) }];
  }

  async function measureAll(): Promise<void> {
    // While Docker is away its folder stays where it was.
    dockerDir = await engine.info().then(
      (it) => it.rootDir,
      () => dockerDir,
    );
    const now = [
      ...(dockerDir === null ? [] : await measure('docker', dockerDir)),
      ...(await measure('state', stateDir)),
    ];
    for (const it of now) {
      const before = seen.find((one) => one.what === it.what)?.level ?? 'ok';
      if (it.level === before) continue;
      const message = `${NAMES[it.what]} ${it.folder}: ${SAYS[it.level]} (${freeText(it)})`;
      log.warn({ folder: it.folder, level: it.level, freeBytes: it.freeBytes }, message);
      tell(`disk.${it.level}`, message);
    }
    seen = now;
  }

  const docker = () => seen.find((it) => it.what === 'docker');

  const look = createShared(async () => {
    await measureAll();
    for (const pressure of ['calm', 'urgent'] as const) {
      if ((docker()?.level ?? 'ok') === 'ok') return;
      await prune(pressure);
      await measureAll();
    }
  });

  function full(what: string, cause?: unknown): SlipwayError {
    const at = docker();
    const where = at === undefined ? "Docker's folder" : `${at.folder} (${freeText(at)})`;
    const message = `${what} was not pulled: there is no space in ${where}; what runs goes on. Free some there (\`docker system df\` shows what takes it) or enlarge the disk; \`slipway doctor\` looks again`;
    return new SlipwayError(
      'DISK_FULL',
      message,
      { folder: at?.folder ?? null, freeBytes: at?.freeBytes ?? null },
      cause,
    );
  }

  return {
    async run(signal) {
      while (!signal.aborted) {
        await look().catch((error: unknown) => log.error({ err: error }, 'the disk could not be looked at'));
        await sleep(LOOK_EVERY_MS, signal);
      }
    },
    look,
    reports: () => seen,
    async withRoom(what, pull) {
      await look();
      if (docker()?.level === 'full') throw full(what);
      try {
        await pull();
      } catch (error) {
        if (!isSlipwayError(error, 'DISK_FULL')) throw error;
        await prune('urgent');
        await pull().catch(async (again: unknown) => {
          if (!isSlipwayError(again, 'DISK_FULL')) throw again;
          await look();
          throw full(what, again);
        });
      }
    },
  };
}
