/** A source over a repository, with an observer that can be waited for. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Repository } from '../../controller/git/repository.ts';
import type { CursorBucket } from '../../controller/source/cursor.ts';
import type { Pace } from '../../controller/source/pace.ts';
import { createSource, type Source } from '../../controller/source/source.ts';
import type { SourceState } from '../../controller/source/state.ts';
import { watchPaths } from '../../controller/source/wake-up.ts';
import { silentLogger } from '../../schemas/logger.ts';

export interface SourceLab {
  readonly source: Source;
  readonly states: SourceState[];
  /** The newest state once it satisfies the condition. */
  readonly until: (condition: (state: SourceState) => boolean, timeoutMs?: number) => Promise<SourceState>;
  readonly stop: () => Promise<void>;
}

/** A bucket in memory; `writes` counts puts. */
export function memoryCursors(): CursorBucket & { writes: number; fail: boolean } {
  const entries = new Map<string, unknown>();
  const bucket = {
    writes: 0,
    fail: false,
    async get(key: readonly string[]) {
      if (bucket.fail) throw new Error('no store');
      const value = entries.get(key.join('\0'));
      return value === undefined ? null : { value };
    },
    async put(key: readonly string[], value: unknown) {
      if (bucket.fail) throw new Error('no store');
      bucket.writes++;
      entries.set(key.join('\0'), value);
      return bucket.writes;
    },
  };
  return bucket;
}

/** Starts observing. */
export function observeSource(args: {
  repository: Repository;
  cursors?: CursorBucket;
  pace?: Partial<Pace>;
  watch?: boolean;
  manifestsFolder?: (settingsFile: Uint8Array | null) => string;
  onState?: (state: SourceState) => void | Promise<void>;
}): SourceLab {
  const stop = new AbortController();
  const states: SourceState[] = [];
  const source = createSource({
    repository: args.repository,
    cursors: args.cursors ?? memoryCursors(),
    clock: { now: () => Date.now(), sleep: (ms, signal) => sleep(ms, undefined, { signal }) },
    random: () => 0.5,
    log: silentLogger,
    manifestsFolder: args.manifestsFolder ?? folderSetting,
    allowRewind: (settings) => /allow_rewind = true/.test(Buffer.from(settings ?? []).toString()),
    watch: args.watch === false ? () => undefined : watchPaths,
    ...(args.pace === undefined ? {} : { pace: args.pace }),
  });
  const running = source.observe(async (state) => {
    await args.onState?.(state);
    states.push(state);
  }, stop.signal);
  return {
    source,
    states,
    async until(condition, timeoutMs = 10_000) {
      const endAt = Date.now() + timeoutMs;
      for (;;) {
        const newest = states.at(-1);
        if (newest !== undefined && condition(newest)) return newest;
        if (Date.now() > endAt) throw new Error(`the source stayed ${JSON.stringify(newest)?.slice(0, 500)}`);
        await sleep(5);
      }
    },
    async stop() {
      stop.abort();
      await running;
    },
  };
}

function folderSetting(settings: Uint8Array | null): string {
  return /manifests = "([^"]*)"/.exec(Buffer.from(settings ?? []).toString())?.[1] ?? 'namespaces';
}
