/**
 * `slipway restore`: an installation from its backup. Everything is checked before anything is written; a marker keeps
 * others off until the end, and lets a restore that was cut off be run again.
 */
import { mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { createFreezes } from '../../controller/consent/freezes.ts';
import { isoNow, systemClock } from '../../controller/execute/clock.ts';
import type { Installation, StatePaths } from '../../schemas/installation.ts';
import { silentLogger } from '../../schemas/logger.ts';
import type { LogEntry } from '../../schemas/release.ts';
import { writeDurable } from '../../store/durable-file.ts';
import { syncChanged } from '../../store/embedded/sync.ts';
import { createEmbeddedNats } from '../../store/embedded.ts';
import { raiseGeneration } from '../../store/generation.ts';
import { connectNats } from '../../store/nats.ts';
import type { Store } from '../../store/port.ts';
import { writeKeyFiles } from '../backup/key-files.ts';
import { removeMarker, writeMarker } from '../backup/marker.ts';
import type { Backup } from '../backup/pack.ts';
import { readBackup } from '../backup/read-file.ts';
import { refuseUsed, restoreTarget, type Target, withNats } from '../backup/target.ts';
import { fillVault } from '../backup/vault.ts';
import { type ExpectedVolume, expectVolumes } from '../backup/volumes.ts';
import { writeState } from '../backup/write-state.ts';
import { EXIT } from '../exit-codes.ts';
import { type Output, printable } from '../output.ts';
import { type CommandContext, textOption } from '../run-command.ts';
import { secretsOf } from '../secrets-of.ts';

const CONNECT_TIMEOUT_MS = 30_000;
const MS_PER_SECOND = 1_000;

export async function restore(context: CommandContext): Promise<number> {
  const { output, paths } = context;
  const [file = ''] = context.args;
  const backup = await readBackup(file);
  const [recorded] = backup.contents.installation as [Installation];
  const installation = withNats(recorded, textOption(context, 'nats'));
  const { bytes } = backup;
  const target = await restoreTarget({ paths, file, bytes, at: isoNow(systemClock) });
  if (target.resumed) output.note('an earlier restore of this file was cut off: going on with it');

  await mkdir(paths.root, { recursive: true, mode: 0o755 });
  await writeMarker(paths, target.marker);
  await writeKeyFiles(paths.keys, backup.contents.keys);
  await writeDurable(paths.installation, `${JSON.stringify(installation, null, 2)}\n`, 0o644);
  const volumes = await expectVolumes({ root: paths.volumes, installation, log: backup.contents.log });
  const { generation, secretsGone } = await restoreState(context, { backup, target, installation });
  await removeMarker(paths);
  const result = {
    installation,
    generation,
    backupAt: backup.manifest.at,
    live: liveOf(backup),
    volumes,
    secretsGone,
    frozen: true,
  };
  output.result(result, () => print(output, paths, { ...result, slipway: backup.manifest.slipway }));
  return EXIT.ok;
}

interface Restoring {
  readonly backup: Backup;
  readonly target: Target;
  readonly installation: Installation;
}

interface Restored {
  readonly generation: number;
  /** Secrets of which what is live wants a version that no longer exists. */
  readonly secretsGone: readonly string[];
}

/** The state is in NATS, frozen, under a new generation; the agent can open the secrets of what is live. */
async function restoreState(context: CommandContext, it: Restoring): Promise<Restored> {
  const { output, paths, signal } = context;
  const { natsUrl } = it.installation;
  const over = new AbortController();
  const lifetime = AbortSignal.any([signal, over.signal]);
  try {
    const url = natsUrl ?? (await createEmbeddedNats({ dir: paths.nats, log: silentLogger }).start(lifetime));
    const store = await connectNats({
      url,
      name: `slipway restore on ${it.installation.machine}`,
      log: silentLogger,
      clock: systemClock,
      timeoutMs: CONNECT_TIMEOUT_MS,
      signal,
    });
    try {
      if (!it.target.resumed) await refuseUsed(store, natsUrl);
      const generation = await fillStore(store, it, output);
      const secrets = secretsOf(store, paths, it.installation);
      await mkdir(paths.agent, { recursive: true, mode: 0o700 });
      const secretsGone = await fillVault({ store, secrets, paths, installation: it.installation });
      return { generation, secretsGone };
    } finally {
      await store.close();
      if (natsUrl === null) await syncChanged(paths.nats, 0);
    }
  } finally {
    // The server goes on, for `slipway status` now and for `slipway up`.
    over.abort();
  }
}

async function fillStore(store: Store, { backup, target, installation }: Restoring, output: Output): Promise<number> {
  const { contents, manifest } = backup;
  const by = `cli/${userInfo().username}`;
  const { at } = target.marker;
  await writeState({ store, contents, onPart: (text) => output.note(`restoring ${text}`) });
  // Without an end: the loop acts on nothing until somebody has looked.
  const freezes = createFreezes({ bucket: store.bucket('freezes'), now: () => Date.parse(at) });
  await freezes.set({ scope: '*', by, why: `restored from the backup of ${manifest.at}`, at, until: null });
  // By the clock: also the second restore of one backup gets a generation that nobody has seen.
  const atLeast = Math.floor(Date.parse(at) / MS_PER_SECOND);
  const generation = await raiseGeneration(store.bucket('cluster'), { installation: installation.id, atLeast });
  const about = { namespace: null, deploy: null, machine: installation.machine, actor: by };
  await store.events.publish({ at, kind: 'state.restored', ...about, message: `from the backup of ${manifest.at}` });
  return generation;
}

interface Live {
  readonly namespace: string;
  readonly release: number | null;
  readonly at: string | null;
  readonly logEntries: number;
}

/** What each namespace comes back to. */
function liveOf({ contents: { log } }: Backup): Live[] {
  const namespaces = [...new Set(log.map((it) => it.namespace))];
  return namespaces.map((namespace) => {
    const entries = log.filter((it) => it.namespace === namespace);
    const ends = (it: LogEntry) => it.kind === 'release' || it.kind === 'removed';
    const last = entries.findLast(ends);
    const live = last?.kind === 'release' ? last : null;
    return { namespace, release: live?.n ?? null, at: live?.at ?? null, logEntries: entries.length };
  });
}

function print(
  output: Output,
  paths: StatePaths,
  it: {
    installation: Installation;
    backupAt: string;
    slipway: string;
    live: Live[];
    volumes: ExpectedVolume[];
    secretsGone: readonly string[];
  },
): void {
  const { id, machine, natsUrl } = it.installation;
  output.line(`installation ${id} of machine ${machine} is restored to ${paths.root}`);
  output.line(`as of ${it.backupAt}, by Slipway ${printable(it.slipway)}; releases made after that are not in it`);
  output.line(natsUrl === null ? 'state: nats-server is ready' : `state: ${new URL(natsUrl).host}`);
  output.table(
    ['NAMESPACE', 'LIVE', 'SINCE', 'LOG ENTRIES'],
    it.live.map((row) => [
      row.namespace,
      row.release === null ? 'nothing' : `#${row.release}`,
      row.at ?? '',
      String(row.logEntries),
    ]),
  );
  const missing = it.volumes.filter((volume) => !volume.present);
  output.line('everything is frozen: nothing is deployed until `slipway unfreeze --all`');
  output.line('next:');
  for (const { namespace, volume, path } of missing)
    output.line(`  copy the data of volume ${namespace}/${volume} to ${path} (its services wait for it)`);
  for (const name of it.secretsGone)
    output.line(
      `  \`slipway secret set ${name}\`: what was live used a version before the newest (its services wait for it)`,
    );
  output.line('  load images that only this machine had; those of registries are pulled again');
  output.line('  slipway up --detach     # workloads: containers that still run are adopted, others started');
  output.line('  slipway status          # is that what you expect?');
  output.line('  slipway unfreeze --all; slipway up');
}
