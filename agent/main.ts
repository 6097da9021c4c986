/**
 * The agent of one machine: `main.js --state-dir DIR`. Builds the adapters and runs until it is told to stop; then
 * containers, gateway and resolver go on without it.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import pino from 'pino';
import { SlipwayError } from '../schemas/errors.ts';
import { Installation, type StatePaths, statePaths } from '../schemas/installation.ts';
import type { Logger } from '../schemas/logger.ts';
import { buildOf } from '../store/build.ts';
import { systemClock } from '../store/clock.ts';
import { connectNats } from '../store/nats.ts';
import { programPath } from '../store/own-files.ts';
import { createTrace } from '../store/trace.ts';
import { createRedactor } from '../trust/redact.ts';
import { machineKeys } from '../trust/secret-keys.ts';
import { verifyStep } from '../trust/sign.ts';
import { createAgent } from './agent.ts';
import { diskUsage } from './disk-space.ts';
import { createNames } from './dns/names.ts';
import { createCredentials } from './docker/credentials.ts';
import { createEngine } from './docker/engine.ts';
import { tracedEngine } from './docker/traced.ts';
import { createGateway } from './gateway/gateway.ts';
import { openImageHistory } from './image-history.ts';
import { openJournal } from './journal.ts';
import { createLateStore } from './late-store.ts';
import { createNetwork, overlayNetwork } from './network/network.ts';
import { claim } from './only-one.ts';
import { createSecretFiles } from './secrets/files.ts';
import { redactedEngine } from './secrets/redacted-engine.ts';
import { openVault } from './secrets/vault.ts';
import { createTrustedKeys } from './trusted-keys.ts';
import { createDirDriver } from './volume/dir-driver.ts';

const CONNECT_TIMEOUT_MS = 5000;

export interface AgentOptions {
  readonly stateDir: string;
  /** Ends the agent. */
  readonly signal: AbortSignal;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** JSON lines to stdout by default. */
  readonly log?: Logger;
}

/** Runs this machine's agent until the signal aborts. @throws SETUP_FAILED without an installation, or next to another agent. */
export async function runAgent({ stateDir, signal, env = process.env, log = pino() }: AgentOptions): Promise<void> {
  const paths = statePaths(stateDir);
  const installation = await readInstallation(paths);
  const { id, machine } = installation;
  await mkdir(paths.agent, { recursive: true, mode: 0o700 });
  const build = await buildOf('agent/main');
  await claim(`${paths.agent}/running.json`, build);
  const trace = createTrace({ env });
  const redactor = createRedactor();
  const engine = redactedEngine(tracedEngine(createEngine({ socketPath: installation.dockerSocket }), trace), redactor);
  const gateway = createGateway({
    dir: paths.gateway,
    httpPort: installation.httpPort,
    installation: id,
    log,
    clock: {
      now: () => Date.now(),
      sleep: async (ms, until) => await delay(ms, undefined, until && { signal: until }),
    },
    trace,
  });
  const store = createLateStore({
    lifetime: signal,
    log,
    connect: async (until) =>
      await connectNats({
        url: await natsUrl(installation, paths),
        name: `slipway agent on ${machine}`,
        log,
        clock: systemClock,
        timeoutMs: CONNECT_TIMEOUT_MS,
        signal: until,
        installation: id,
        ...(installation.natsUrl === null ? { storeDir: paths.nats } : {}),
      }),
  });
  const trustedKeys = createTrustedKeys({ folder: paths.keys, installation: id });
  const agent = createAgent({
    installation,
    engine,
    store,
    journal: await openJournal({ folder: `${paths.agent}/journal`, trace }),
    imageHistory: await openImageHistory({ path: paths.pulledImages }),
    credentials: createCredentials({ env, log }),
    gateway,
    names: createNames({
      dir: paths.dns,
      network: () => overlayNetwork(installation),
      log,
      command: resolverCommand(),
      build: await buildOf('agent/dns/main'),
    }),
    network: createNetwork({ engine, installation, log }),
    vault: await openVault({
      path: `${paths.agent}/secrets.json`,
      installation: id,
      keys: () => machineKeys(paths.keys),
      trace,
      onOpened: (name, value) => redactor.know(name, value),
    }),
    secretFiles: createSecretFiles({ folder: paths.secretFiles }),
    volumes: createDirDriver({ root: paths.volumes, installation, log }),
    portHolders: (ports) => gateway.portHolders(ports),
    stateDir: paths.root,
    diskUsage,
    verify: async (signed) => verifyStep(signed, await trustedKeys(signed.keyId)),
    trustedKeys,
    execFolder: `${paths.agent}/execs`,
    log,
    trace,
    now: () => Date.now(),
    versions: { slipway: build, node: process.versions.node },
    lifetime: signal,
  });
  log.info({ installation: id, machine, pid: process.pid, build }, 'agent runs');
  try {
    await agent.run();
  } finally {
    await store.close();
  }
  log.info({ installation: id, machine }, 'agent ends; containers, gateway and resolver go on');
}

async function readInstallation(paths: StatePaths): Promise<Installation> {
  try {
    return Installation.parse(JSON.parse(await readFile(paths.installation, 'utf8')));
  } catch (error) {
    throw new SlipwayError(
      'SETUP_FAILED',
      `there is no installation in ${paths.root}: \`slipway up\` makes one`,
      {},
      error,
    );
  }
}

/** The file appears, and changes, with the embedded server: it is read again for each attempt. */
async function natsUrl(installation: Installation, paths: StatePaths): Promise<string> {
  if (installation.natsUrl !== null) return installation.natsUrl;
  try {
    return (await readFile(paths.natsUrlFile, 'utf8')).trim();
  } catch (error) {
    throw new SlipwayError('STATE_UNAVAILABLE', 'the embedded nats-server has not been started yet', {}, error);
  }
}

/** The resolver runs the same way as we do: compiled, or through the same loader. */
function resolverCommand(): [string, ...string[]] {
  return [process.execPath, ...process.execArgv, programPath('agent/dns/main')];
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { 'state-dir': { type: 'string' } } });
  const stateDir = values['state-dir'] ?? process.env['SLIPWAY_STATE_DIR'] ?? '/var/lib/slipway';
  const log = pino({ level: process.env['SLIPWAY_LOG_LEVEL'] ?? 'info' });
  const stopping = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stopping.abort());
  // The terminal that started it may go away.
  process.on('SIGHUP', () => {});
  process.on('unhandledRejection', (reason) => {
    if (!stopping.signal.aborted) log.error({ err: reason }, 'a part failed for a bug; the agent goes on');
  });
  try {
    await runAgent({ stateDir, signal: stopping.signal, log });
    process.exit(0);
  } catch (error) {
    log.fatal({ err: error }, 'the agent cannot run');
    process.exit(1);
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main();
