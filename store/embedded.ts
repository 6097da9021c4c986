/**
 * The embedded nats-server: a process of its own beside us, adopted when it runs, started again when it dies while
 * somebody watches, left running when nobody does.
 *
 * nats-server does not lock its store: a second one on the same folder would corrupt it. So it is found again by pid
 * and start time, and whoever starts it holds a lock file that names the starter.
 */
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { connect as connectTcp, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { coerce, gte } from 'semver';
import { SlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import { writeDurable } from './durable-file.ts';
import { isAlive, type ProcessRecord, processRecord } from './process-record.ts';

export interface EmbeddedNats {
  /** The server answers; gives its url. Kept running until the signal aborts, and left running then. @throws SETUP_FAILED */
  start(signal: AbortSignal): Promise<string>;
  /** Ends the server; its files stay. */
  stop(): Promise<void>;
}

export interface EmbeddedNatsDeps {
  /** Holds configuration, store, url and log of the server. */
  readonly dir: string;
  readonly log: Logger;
  /** `nats-server` of the PATH by default. */
  readonly binary?: string;
  /** Chosen once and kept by default. */
  readonly port?: number;
}

const OLDEST = '2.9.10';
/** Servers from here on can sync each write to the disk. */
const SYNCS_ALWAYS = '2.10.0';
const READY_MS = 15_000;
const STOP_MS = 10_000;
const LOOK_MS = 200;

export function createEmbeddedNats(deps: EmbeddedNatsDeps): EmbeddedNats {
  const { dir, log, binary = 'nats-server' } = deps;
  const files = {
    config: `${dir}/nats.conf`,
    record: `${dir}/process.json`,
    url: `${dir}/url`,
    lock: `${dir}/starting`,
    output: `${dir}/nats-server.log`,
  };

  async function running(): Promise<ProcessRecord | null> {
    const text = await readFile(files.record, 'utf8').catch(() => null);
    if (text === null) return null;
    const record = JSON.parse(text) as ProcessRecord;
    return (await isAlive(record)) ? record : null;
  }

  /** One starter at a time on this folder; a starter that died does not count. */
  async function locked<T>(work: () => Promise<T>): Promise<T> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const own = await processRecord(process.pid);
    for (;;) {
      const lock = await open(files.lock, 'wx', 0o600).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return null;
        throw error;
      });
      if (lock !== null) {
        await lock.writeFile(JSON.stringify(own));
        await lock.close();
        break;
      }
      const holder = await readFile(files.lock, 'utf8').catch(() => '');
      const record = parseRecord(holder);
      if (record === null || !(await isAlive(record))) await rm(files.lock, { force: true });
      await sleep(20);
    }
    try {
      return await work();
    } finally {
      await rm(files.lock, { force: true });
    }
  }

  async function ensure(): Promise<string> {
    return await locked(async () => {
      const url = await prepare();
      if ((await running()) === null) {
        const child = launch();
        const record = child === undefined ? null : await processRecord(child);
        if (record === null) throw failed('did not start');
        await writeDurable(files.record, JSON.stringify(record));
        log.info({ pid: record.pid }, 'nats-server started');
      }
      await untilReady(url);
      return url;
    });
  }

  /** Writes configuration and url; port and token are chosen once. */
  async function prepare(): Promise<string> {
    const version = await versionOf(binary);
    const before = await readFile(files.url, 'utf8').catch(() => null);
    const url = before === null ? null : new URL(before.trim());
    const port = deps.port ?? (url === null ? await freePort() : Number(url.port));
    const token = url?.username ?? randomBytes(24).toString('hex');
    const lines = [
      `listen: "127.0.0.1:${port}"`,
      `authorization { token: "${token}" }`,
      `jetstream { store_dir: "${dir}/store"${gte(version, SYNCS_ALWAYS) ? ', sync_interval: always' : ''} }`,
      'max_payload: 1MB',
      '',
    ];
    const text = lines.join('\n');
    if ((await readFile(files.config, 'utf8').catch(() => null)) !== text) await writeDurable(files.config, text);
    const address = `nats://${token}@127.0.0.1:${port}`;
    if (before?.trim() !== address) await writeDurable(files.url, `${address}\n`);
    return address;
  }

  function launch(): number | undefined {
    const out = openSync(files.output, 'a', 0o600);
    const child = spawn(binary, ['--config', files.config], { detached: true, stdio: ['ignore', out, out] });
    child.on('error', (error) => log.error({ err: error }, 'nats-server could not be started'));
    closeSync(out);
    child.unref();
    return child.pid;
  }

  async function untilReady(url: string): Promise<void> {
    const { hostname, port } = new URL(url);
    const until = Date.now() + READY_MS;
    while (!(await greets(hostname, Number(port)))) {
      if ((await running()) === null) throw failed('ended at once');
      if (Date.now() > until) throw failed('does not answer');
      await sleep(10);
    }
  }

  function failed(how: string): SlipwayError {
    return new SlipwayError('SETUP_FAILED', `nats-server ${how}; ${files.output} says why`);
  }

  async function supervise(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
      if (signal.aborted || (await running()) !== null || !existsSync(files.config)) continue;
      log.warn({}, 'nats-server is gone; starting it again');
      await ensure().catch((error: unknown) => log.error({ err: error }, 'nats-server not started'));
    }
  }

  return {
    async start(signal) {
      const url = await ensure();
      supervise(signal).catch((error: unknown) => log.error({ err: error }, 'nats-server is no longer watched'));
      return url;
    },
    async stop() {
      const record = await running();
      if (record === null) return;
      process.kill(record.pid, 'SIGTERM');
      const until = Date.now() + STOP_MS;
      while ((await isAlive(record)) && Date.now() < until) await sleep(20);
      if (await isAlive(record)) process.kill(record.pid, 'SIGKILL');
      await rm(files.record, { force: true });
    },
  };
}

/** @throws SETUP_FAILED when it is missing or too old */
async function versionOf(binary: string): Promise<string> {
  const answer = await promisify(execFile)(binary, ['--version']).catch((error: unknown) => {
    throw new SlipwayError(
      'SETUP_FAILED',
      `${binary} cannot be run: install the package nats-server (${OLDEST} or newer), or give another server with --nats`,
      {},
      error,
    );
  });
  const version = coerce(answer.stdout)?.version;
  if (version !== undefined && gte(version, OLDEST)) return version;
  throw new SlipwayError('SETUP_FAILED', `${binary} is ${answer.stdout.trim()}; ${OLDEST} or newer is needed`);
}

/** A nats-server says INFO to whoever connects. Source: NATS client protocol. */
async function greets(host: string, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connectTcp({ host, port, timeout: 500 });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (data) => end(data.toString('utf8', 0, 4) === 'INFO'));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function parseRecord(text: string): ProcessRecord | null {
  try {
    return JSON.parse(text) as ProcessRecord;
  } catch {
    return null;
  }
}
