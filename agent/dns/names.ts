/** Writes the snapshot of names and keeps the resolver process running (agent/ports.ts, Names). */
import { mkdir, readFile } from 'node:fs/promises';
import { SlipwayError } from '../../schemas/errors.ts';
import type { Logger } from '../../schemas/logger.ts';
import { writeDurable } from '../../store/durable-file.ts';
import { isAlive, type ProcessRecord } from '../../store/process-record.ts';
import { createLimit } from '../locks.ts';
import type { Names, OverlayNetwork } from '../ports.ts';
import { sleep } from '../waiting.ts';
import { servedDigest } from './probe.ts';
import { findResolver, type ResolverProcessDeps, startResolver, stopResolver } from './resolver-process.ts';
import { readRecord, resolverFiles } from './resolver-record.ts';
import { formatSnapshot, snapshotDigest } from './snapshot.ts';

const LOOK_INTERVAL_MS = 250;
const PROBE_TIMEOUT_MS = 100;
/** One that was started again and ended sooner than this is started once more only after a pause. */
const STEADY_MS = 5000;
const RESTART_PAUSE_MS = 1000;

export interface NamesDeps {
  readonly dir: string;
  /** The network as `Network.ensure` gave it. */
  readonly network: () => OverlayNetwork;
  readonly log: Logger;
  readonly port?: number;
  /** Program and arguments that run agent/dns/main; ours are appended. */
  readonly command: ResolverProcessDeps['command'];
  /** Which build that is: a resolver of another one is replaced. Without it any is adopted. */
  readonly build?: string;
  /** How long `start` waits for answers. */
  readonly startTimeoutMs?: number;
  /** How long `apply` waits for the resolver to have read the snapshot. */
  readonly applyTimeoutMs?: number;
}

/**
 * Names by a resolver process in `dir`.
 *
 * `start` throws NETWORK_FAILED when the resolver does not answer in time; the process then still tries, and is
 * adopted by the next `start`. `apply` resolves when the resolver answers by the new names; one that does not answer
 * is logged and reads them when it can.
 */
export function createNames(deps: NamesDeps): Names {
  const { dir, network, log, build, port = 53, startTimeoutMs = 5000, applyTimeoutMs = 1000 } = deps;
  const inTurn = createLimit(1);
  const files = resolverFiles(dir);
  let supervised = new AbortController();
  let supervising: Promise<void> = Promise.resolve();

  /** Resolves true once the resolver answers from a snapshot that `wanted` accepts. */
  async function answers(
    wanted: (digest: string) => boolean,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (!signal.aborted) {
      const digest = await servedDigest(network().gatewayAddress, port, PROBE_TIMEOUT_MS);
      if (digest !== null && wanted(digest)) return true;
      if (performance.now() > deadline) return false;
      await sleep(5, signal);
    }
    return false;
  }

  /** Adopts the running resolver when it listens where it should and is of our build; replaces it otherwise. */
  async function adoptOrStart(): Promise<ProcessRecord> {
    const { gatewayAddress } = network();
    const running = await findResolver(dir);
    const listens = running !== null && running.listen === gatewayAddress && running.port === port;
    if (listens && (build === undefined || running.build === build)) return running;
    if (running !== null && !listens) await stopResolver(dir, running);
    const replaces = listens ? running : null;
    const started = await startResolver({ dir, port, command: deps.command, build }, gatewayAddress, replaces);
    log.info({ pid: started.pid, replaces: replaces?.pid, listen: gatewayAddress, port }, 'resolver started');
    return started;
  }

  async function supervise(first: ProcessRecord, signal: AbortSignal): Promise<void> {
    let process_ = first;
    // The first end is an accident; the next one soon after it is a pattern.
    let since = -Infinity;
    for (;;) {
      await sleep(LOOK_INTERVAL_MS, signal);
      if (signal.aborted) return;
      if (await isAlive(process_)) continue;
      log.warn({ pid: process_.pid }, 'resolver ended; starting it again');
      if (performance.now() - since < STEADY_MS) await sleep(RESTART_PAUSE_MS, signal);
      if (signal.aborted) return;
      since = performance.now();
      process_ = await adoptOrStart().catch((error: unknown) => {
        log.error({ err: error }, 'resolver not started');
        return process_;
      });
    }
  }

  return {
    async start(signal) {
      const process_ = await adoptOrStart();
      if (!(await answers(() => true, startTimeoutMs, signal)) && !signal.aborted) {
        const problem = (await readRecord(dir))?.problem ?? `see ${files.log}`;
        const where = `${network().gatewayAddress}:${port}`;
        throw new SlipwayError('NETWORK_FAILED', `The resolver does not answer on ${where}: ${problem}`);
      }
      supervised.abort();
      supervised = new AbortController();
      supervising = supervise(process_, AbortSignal.any([signal, supervised.signal]));
    },
    apply: (table) =>
      inTurn(async () => {
        const text = formatSnapshot(table, network());
        await mkdir(dir, { recursive: true, mode: 0o700 });
        if ((await readFile(files.snapshot, 'utf8').catch(() => null)) !== text)
          await writeDurable(files.snapshot, text);
        const digest = snapshotDigest(text);
        const read = await answers((it) => it === digest, applyTimeoutMs, new AbortController().signal);
        if (!read) log.warn({ dir }, 'names are written, but the resolver does not answer by them yet');
      }),
    async stop() {
      supervised.abort();
      await supervising;
      const running = await findResolver(dir);
      if (running !== null) await stopResolver(dir, running);
    },
  };
}
