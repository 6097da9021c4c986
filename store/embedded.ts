/**
 * The embedded nats-server: a detached process that outlives us, adopted when we come back, started again when it
 * dies while we look. All of it lies in one folder.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, realpath, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isSlipwayError, SlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import { writeDurable } from './durable-file.ts';
import { embeddedPaths, embeddedUrl, renderConfig, syncsItself } from './embedded/config.ts';
import { findServer } from './embedded/find.ts';
import { createHealthCheck } from './embedded/health.ts';
import { answersWithin, endServer, launchServer } from './embedded/launch.ts';
import { tryLock } from './embedded/lock.ts';
import { freePort, loadPort, loadToken } from './embedded/secrets.ts';
import { supervise } from './embedded/supervise.ts';
import { keepSynced } from './embedded/sync.ts';
import { serverVersion } from './embedded/version.ts';
import type { ProcessRecord } from './process-record.ts';

export interface EmbeddedNatsDeps {
  /** Its folder; nobody else may write there. */
  readonly dir: string;
  readonly log: Logger;
  /** `nats-server` of the PATH by default. */
  readonly binary?: string;
  /** A port to insist on; without one a free one is chosen once and kept. */
  readonly port?: number;
  /** How often it is asked whether it still answers, 5 s by default; three times without an answer and it is replaced. */
  readonly healthEveryMs?: number;
}

export interface EmbeddedNats {
  /**
   * Makes it run, or adopts the one that runs, and gives its url, which also stands in `<dir>/url`. Until the signal
   * aborts it is started again when it dies; afterwards it is left running. Only one process supervises at a time;
   * another one that started it too takes over when that one ends.
   *
   * @throws SETUP_FAILED
   */
  start(signal: AbortSignal): Promise<string>;
  /** Ends it, whoever started it and looks after it; its files stay. */
  stop(): Promise<void>;
}

interface Running {
  readonly server: ProcessRecord;
  readonly url: string;
}

/** The server of a folder; nothing happens before `start`. */
export function createEmbeddedNats(deps: EmbeddedNatsDeps): EmbeddedNats {
  const { log, binary = 'nats-server', healthEveryMs = 5_000 } = deps;
  const stopping = new AbortController();

  /** The path as the kernel knows it: what the server's command line says must be comparable. */
  async function folder(): Promise<string> {
    await mkdir(deps.dir, { recursive: true, mode: 0o700 });
    return await realpath(deps.dir);
  }

  /** Whether the configuration on the disk, which the server read when it started, is this one. */
  async function runsWith(config: string): Promise<boolean> {
    const present = await readFile(embeddedPaths(await folder()).config, 'utf8').catch(() => null);
    return present === config;
  }

  /** Makes the server run on the port of last time; when that is taken, on a fresh one, unless clients know it already. */
  async function ensure(dir: string, version: string, portIsKnown: boolean): Promise<Running> {
    const paths = embeddedPaths(dir);
    const token = await loadToken(paths.token);
    const kept = deps.port ?? (await loadPort(paths.port));
    const running = await findServer(paths.config);
    if (running !== null && kept !== null && !(await runsWith(renderConfig({ dir, port: kept, token, version })))) {
      log.warn({ pid: running.pid }, 'the running nats-server has another configuration: it is started again');
    } else if (running !== null && kept !== null) {
      if (await answersWithin(10_000, kept, running)) {
        log.info({ pid: running.pid, port: kept }, 'adopted the running nats-server');
        return { server: running, url: await publish(paths, kept, token) };
      }
      log.warn({ pid: running.pid }, 'the running nats-server does not answer: it is replaced');
    }
    if (running !== null) await endServer(running);

    const startOn = async (port: number): Promise<Running> => {
      await writeDurable(paths.config, renderConfig({ dir, port, token, version }));
      const { config, log: logPath, ports: portsDir } = paths;
      const server = await launchServer({ binary, config, logPath, portsDir, cwd: dir, port });
      log.info({ pid: server.pid, port, version }, 'started nats-server');
      return { server, url: await publish(paths, port, token) };
    };
    if (kept === null) return await startOn(await freePort());
    try {
      return await startOn(kept);
    } catch (error) {
      if (portIsKnown || deps.port !== undefined || !isSlipwayError(error, 'SETUP_FAILED')) throw error;
      log.warn({ port: kept }, 'nats-server did not start on its port: trying another one');
      return await startOn(await freePort());
    }
  }

  async function publish(paths: ReturnType<typeof embeddedPaths>, port: number, token: string): Promise<string> {
    const url = embeddedUrl(port, token);
    await writeDurable(paths.port, String(port));
    await writeDurable(paths.url, url);
    return url;
  }

  /** The url of a server that somebody else supervises, once it answers; null when it does not. */
  async function adopted(dir: string): Promise<string | null> {
    const paths = embeddedPaths(dir);
    const [server, port] = [await findServer(paths.config), await loadPort(paths.port)];
    if (server === null || port === null || !(await answersWithin(1_000, port, server))) return null;
    return embeddedUrl(port, await loadToken(paths.token));
  }

  async function start(signal: AbortSignal): Promise<string> {
    const version = await serverVersion(binary);
    const dir = await folder();
    const until = AbortSignal.any([signal, stopping.signal]);
    const superviseHere = async (): Promise<string | null> => {
      const lock = await tryLock(dir);
      if (lock === null) return null;
      try {
        const first = await ensure(dir, version, false);
        const again = async () => await ensure(dir, version, true);
        const healthy = createHealthCheck({ url: first.url, timeoutMs: healthEveryMs });
        // `stop`, of whichever process, takes the url away first.
        const wanted = () => existsSync(embeddedPaths(dir).url);
        const watching = supervise({ first: first.server, wanted, again, healthy, healthEveryMs, log }, until);
        const over = new AbortController();
        if (!syncsItself(version)) void keepSynced({ dir: embeddedPaths(dir).store, log }, over.signal);
        void watching.then(async () => {
          over.abort();
          await lock.release();
        });
        return first.url;
      } catch (error) {
        await lock.release();
        throw error;
      }
    };

    const deadline = performance.now() + 30_000;
    for (;;) {
      const supervised = await superviseHere();
      if (supervised !== null) return supervised;
      const url = await adopted(dir);
      if (url !== null) {
        void waitForSupervision(dir, superviseHere, until);
        return url;
      }
      if (signal.aborted || performance.now() > deadline) {
        throw new SlipwayError(
          'SETUP_FAILED',
          `another process supervises the nats-server in ${dir}, but it does not run`,
        );
      }
      await sleep(50);
    }
  }

  async function waitForSupervision(
    dir: string,
    attempt: () => Promise<string | null>,
    until: AbortSignal,
  ): Promise<void> {
    while (!until.aborted) {
      await sleep(1_000, undefined, { signal: until, ref: false }).catch(() => {});
      if (until.aborted || !existsSync(embeddedPaths(dir).url)) return;
      try {
        if ((await attempt()) !== null) return;
      } catch (error) {
        log.error({ error }, 'nats-server could not be taken over');
      }
    }
  }

  return {
    start,
    async stop() {
      stopping.abort();
      const dir = await folder();
      const paths = embeddedPaths(dir);
      await rm(paths.url, { force: true });
      const server = await findServer(paths.config);
      if (server !== null) await endServer(server);
    },
  };
}
