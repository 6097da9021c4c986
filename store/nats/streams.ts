/** The streams of the state: made when they are missing, changed when their settings differ from ours. */
import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { SlipwayError } from '../../schemas/errors.ts';
import type { Logger } from '../../schemas/logger.ts';
import type { Asset, AssetName } from '../assets.ts';
import type { Connection } from './connection.ts';
import { isStreamMissing, isStreamTaken } from './failures.ts';

const NANOS_PER_MS = 1_000_000;
const DUPLICATE_WINDOW_MS = 120_000;

/** Settings of one asset's stream; only these are compared. */
export function streamConfig(asset: Asset): Partial<StreamConfig> & { name: string } {
  const kept = asset.keepEach !== null;
  return {
    name: asset.stream,
    subjects: [`${asset.subjects}.>`],
    retention: RetentionPolicy.Limits,
    storage: asset.storage === 'memory' ? StorageType.Memory : StorageType.File,
    max_msgs_per_subject: asset.keepEach ?? -1,
    max_msgs: asset.maxMessages ?? -1,
    max_bytes: -1,
    max_age: (asset.ttlMs ?? 0) * NANOS_PER_MS,
    duplicate_window: Math.min(DUPLICATE_WINDOW_MS, asset.ttlMs ?? DUPLICATE_WINDOW_MS) * NANOS_PER_MS,
    discard: asset.maxMessages === null ? DiscardPolicy.New : DiscardPolicy.Old,
    deny_delete: asset.immutable,
    deny_purge: asset.immutable,
    allow_rollup_hdrs: kept,
    // Decisions are read from the leader; a replica may be behind.
    allow_direct: false,
  };
}

/** Names of the settings in which a stream differs from what is wanted. Pure. */
export function differences(wanted: Partial<StreamConfig>, present: Partial<StreamConfig>): string[] {
  const found = present as Readonly<Record<string, unknown>>;
  return Object.entries(wanted)
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(found[name] ?? DEFAULTS[name]))
    .map(([name]) => name);
}

/** What a server leaves out of its answer. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  allow_direct: false,
  allow_rollup_hdrs: false,
  deny_delete: false,
  deny_purge: false,
  max_age: 0,
};

export interface StreamsDeps {
  readonly connection: Connection;
  readonly manager: JetStreamManager;
  readonly assets: Readonly<Record<AssetName, Asset>>;
  readonly log: Logger;
}

/** Makes every stream as it should be. @throws SETUP_FAILED when the log alone is gone. */
export async function ensureStreams({ connection, manager, assets, log }: StreamsDeps): Promise<void> {
  async function info(asset: Asset): Promise<StreamInfo | null> {
    return await connection.call(async () => {
      try {
        return await manager.streams.info(asset.stream);
      } catch (error) {
        if (isStreamMissing(error)) return null;
        throw error;
      }
    });
  }

  const present = await Promise.all(Object.values(assets).map(async (asset) => ({ asset, info: await info(asset) })));
  const has = (wanted: Asset) => present.some((it) => it.asset === wanted && it.info !== null);
  if (!has(assets.log) && has(assets.cluster)) {
    // An empty log beside old records would read as "nothing was ever released".
    throw new SlipwayError(
      'SETUP_FAILED',
      'the stream LOG is gone but other records are there: restore it from a backup',
    );
  }
  /** null: just made. Otherwise somebody else was faster, and it is taken as it is found. */
  async function make(asset: Asset): Promise<StreamInfo | null> {
    try {
      await connection.call(async () => await manager.streams.add({ ...streamConfig(asset), num_replicas: 1 }));
      return null;
    } catch (error) {
      if (!isStreamTaken(error)) throw error;
      const there = await info(asset);
      // Its subjects belong to a stream of another name: nothing of ours.
      if (there === null) throw error;
      return there;
    }
  }

  for (const { asset, info: before } of present) {
    const wanted = streamConfig(asset);
    const found = before ?? (await make(asset));
    if (found === null) continue;
    const changed = differences(wanted, found.config);
    if (changed.length === 0) continue;
    log.info({ stream: wanted.name, changed }, 'the settings of a stream are brought up to date');
    await connection.call(async () => await manager.streams.update(wanted.name, wanted));
  }
}
