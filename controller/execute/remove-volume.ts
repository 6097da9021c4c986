/**
 * Removing a volume. First the log stops naming it, by an entry that differs from the last one in nothing else; then
 * the machine is told to destroy it. Cut off in between, the data is left over and can be removed again; the other way
 * round, the log would send services to a volume that is gone.
 */
import { SlipwayError } from '../../schemas/errors.ts';
import type { LogEntry, Release } from '../../schemas/release.ts';
import { isoNow, newDeployId } from './clock.ts';
import { endingOf } from './ending.ts';
import type { OnProgress } from './progress.ts';
import { lostTo, recoverNamespace } from './recover.ts';
import { type ExecutorDeps, runStep, type Session } from './session.ts';
import { lastStanding, readVolumes, type VolumeStatus } from './volumes.ts';
import { withLease } from './with-lease.ts';

export interface RemoveVolumeArgs {
  readonly namespace: string;
  readonly volume: string;
  readonly actor: string;
  readonly signal: AbortSignal;
  /** Somebody knows that the data cannot be brought back. */
  readonly confirmed: boolean;
  readonly onProgress?: OnProgress;
  /** How long another executor's lease is waited for. */
  readonly waitForLeaseMs?: number;
}

export interface RemovedVolume {
  /** Where its data was. */
  readonly machines: readonly string[];
  /** The entry by which the log stopped naming it; null: no entry named it any more. */
  readonly n: number | null;
}

/** @throws what `removable` does, before anything was touched; DEPLOY_LOST, VOLUME_FAILED */
export async function removeVolume(deps: ExecutorDeps, args: RemoveVolumeArgs): Promise<RemovedVolume> {
  return await withLease(deps, args, async (session) => {
    const { lost } = session.lease;
    await recoverNamespace(deps, session, lost);
    const places = removable(await readVolumes(deps.store), args);
    const entries = await deps.store.log.entries(args.namespace);
    const deploy = newDeployId(deps.clock);
    const n = await unname(deps, session, { ...args, entries, deploy, signal: AbortSignal.any([args.signal, lost]) });
    const tip = n ?? entries.length;
    for (const { machine } of places) {
      const action = { verb: 'destroy', volume: args.volume, n: tip } as const;
      await runStep(deps, session, { deploy, machine, id: `destroy/${args.volume}`, action, signal: lost });
    }
    const machines = places.map((it) => it.machine);
    await deps.store.events.publish({
      at: isoNow(deps.clock),
      kind: 'volume.removed',
      namespace: args.namespace,
      deploy,
      machine: machines[0] ?? null,
      actor: args.actor,
      message: `volume ${args.volume} and its data were removed from ${machines.join(', ')}`,
    });
    return { machines, n };
  });
}

/** Where the volume is to go. Pure. @throws UNKNOWN_VOLUME, VOLUME_IN_USE, MACHINE_UNREACHABLE, CONSENT_NEEDED */
export function removable(
  volumes: readonly VolumeStatus[],
  { namespace, volume, confirmed }: Pick<RemoveVolumeArgs, 'namespace' | 'volume' | 'confirmed'>,
): VolumeStatus[] {
  const own = volumes.filter((it) => it.namespace === namespace);
  const found = own.filter((it) => it.volume === volume);
  const name = `${namespace}/${volume}`;
  if (found.length === 0) {
    const others = own.map((it) => it.volume);
    const known = others.length === 0 ? 'it has none' : `it has ${[...new Set(others)].join(', ')}`;
    throw new SlipwayError('UNKNOWN_VOLUME', `${namespace} has no volume ${volume}: ${known}`);
  }
  const users = [...new Set(found.flatMap((it) => it.users))];
  if (users.length > 0) {
    const message = `volume ${name} is mounted by ${users.join(', ')}: deploy ${namespace} without that first`;
    throw new SlipwayError('VOLUME_IN_USE', message, { users });
  }
  const silent = found.find((it) => it.present === null);
  if (silent !== undefined) {
    const message = `volume ${name} lies on ${silent.machine}, whose agent does not answer; \`slipway up\` there starts it`;
    throw new SlipwayError('MACHINE_UNREACHABLE', message);
  }
  if (!confirmed) {
    const where = found.map((it) => it.machine).join(', ');
    const message = `the data of volume ${name} on ${where} cannot be brought back; \`slipway volume rm ${name} --yes\` removes it`;
    throw new SlipwayError('CONSENT_NEEDED', message);
  }
  return found;
}

/** Appends the last release or removal again, without the volume. null: it does not name it. */
async function unname(
  deps: ExecutorDeps,
  session: Session,
  args: RemoveVolumeArgs & { readonly entries: readonly LogEntry[]; readonly deploy: string },
): Promise<number | null> {
  const { entries, deploy, volume, signal } = args;
  const last = lastStanding(entries);
  if (last === null || !last.volumes.some((it) => it.volume === volume)) return null;
  const n = entries.length + 1;
  const changes = { n, at: isoNow(deps.clock), actor: session.actor, deploy };
  const volumes = last.volumes.filter((it) => it.volume !== volume);
  const entry: LogEntry =
    last.kind === 'release'
      ? { ...last, ...changes, volumes, lineage: unnamedLineage(last) }
      : { ...last, ...changes, volumes };
  const result = await deps.store.log.append(entry, signal);
  if (result.outcome === 'lost') throw lostTo(endingOf(deploy, [result.winner]));
  return n;
}

/** The release again: it is no rollback, but still the fork that it was. */
function unnamedLineage({ n, lineage: { forkedFrom } }: Release): Release['lineage'] {
  return { previous: n, rollbackTo: null, ...(forkedFrom && { forkedFrom }) };
}
