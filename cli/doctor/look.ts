/** One look at this machine, and at the installation on it if there is one. Builds the adapters for it. */
import { readFileSync } from 'node:fs';
import { createEngine } from '../../agent/docker/engine.ts';
import type { Engine } from '../../agent/docker/port.ts';
import { systemClock } from '../../controller/execute/clock.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import type { Installation, StatePaths } from '../../schemas/installation.ts';
import { silentLogger } from '../../schemas/logger.ts';
import { inspectNats } from '../../store/inspect.ts';
import { connectNats } from '../../store/nats.ts';
import type { Store } from '../../store/port.ts';
import { dockerSocket } from '../docker-socket.ts';
import { INSTALLATION_CHECKS, MACHINE_CHECKS } from './checks.ts';
import type { InstallationDeps, MachineDeps } from './deps.ts';
import { examine } from './examine.ts';
import type { Finding } from './finding.ts';
import { type Found, findInstallation } from './record.ts';

/** No check takes longer. */
const LIMIT_MS = 8_000;
/** Shorter, so that what needs them can say that they do not answer. */
const NATS_MS = 3_000;
const DOCKER_MS = 5_000;

export interface LookArgs {
  readonly paths: StatePaths;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Findings of the machine, then those of its installation. */
export async function lookAround(args: LookArgs): Promise<{ found: Found; findings: Finding[] }> {
  const { paths, env } = args;
  // What still waits when all is told is given up.
  const over = new AbortController();
  const signal = AbortSignal.any([args.signal, over.signal]);
  const found = findInstallation(paths);
  const installation = found.kind === 'found' ? found.installation : null;
  const socketPath = installation?.dockerSocket ?? dockerSocket(env);
  const machine: MachineDeps = {
    env,
    socketPath,
    engine: withLimit(createEngine({ socketPath })),
    embeddedNats: (installation?.natsUrl ?? null) === null,
  };
  try {
    const [ofMachine, ofInstallation] = await Promise.all([
      examine({ checks: MACHINE_CHECKS, deps: machine, limitMs: LIMIT_MS, signal }),
      installation === null ? [] : lookAtInstallation({ ...machine, paths, installation }, signal),
    ]);
    const unusable = found.kind === 'unusable' ? [found.finding] : [];
    return { found, findings: [...ofMachine, ...unusable, ...ofInstallation] };
  } finally {
    over.abort();
  }
}

async function lookAtInstallation(
  known: MachineDeps & Pick<InstallationDeps, 'paths' | 'installation'>,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { installation, paths } = known;
  const common = { timeoutMs: NATS_MS, signal };
  const inspected = once(
    async () => await inspectNats({ url: natsUrl(installation, paths), machine: installation.machine, ...common }),
  );
  const connecting = once<Store>(async () => {
    // A server that does not answer at all is asked once.
    await inspected();
    const named = { name: 'slipway doctor', log: silentLogger, clock: systemClock, installation: installation.id };
    return await connectNats({ url: natsUrl(installation, paths), ...named, ...common });
  });
  const deps: InstallationDeps = { ...known, now: () => systemClock.now(), nats: inspected, store: connecting };
  try {
    return await examine({ checks: INSTALLATION_CHECKS, deps, limitMs: LIMIT_MS, signal });
  } finally {
    await connecting()
      .then((it) => it.close())
      .catch(() => {});
  }
}

/** An engine that hangs is one that does not answer. */
function withLimit(engine: Pick<Engine, 'info' | 'listNetworks'>): MachineDeps['engine'] {
  const limited = async <T>(signal: AbortSignal | undefined, ask: (until: AbortSignal) => Promise<T>): Promise<T> => {
    const timeout = AbortSignal.timeout(DOCKER_MS);
    try {
      return await ask(signal === undefined ? timeout : AbortSignal.any([signal, timeout]));
    } catch (error) {
      if (!timeout.aborted) throw error;
      throw new SlipwayError('ENGINE_UNAVAILABLE', `no answer in ${DOCKER_MS / 1000} s`, {}, error);
    }
  };
  return {
    info: (signal) => limited(signal, (until) => engine.info(until)),
    listNetworks: (labels, signal) => limited(signal, (until) => engine.listNetworks(labels, until)),
  };
}

function natsUrl(installation: Installation, paths: StatePaths): string {
  if (installation.natsUrl !== null) return installation.natsUrl;
  try {
    return readFileSync(paths.natsUrlFile, 'utf8').trim();
  } catch (error) {
    throw new SlipwayError('STATE_UNAVAILABLE', 'the embedded nats-server has not been started', {}, error);
  }
}

/** Begun by the first who asks; all get the same. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let begun: Promise<T> | null = null;
  return async () => await (begun ??= work());
}
