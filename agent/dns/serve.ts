/** Life of the resolver process: one for each folder, waiting for the bridge, answering until the signal aborts. */
import type { Logger } from '../../schemas/logger.ts';
import { isAlive, type ProcessRecord, processRecord } from '../../store/process-record.ts';
import { sleep } from '../waiting.ts';
import { createForwarder } from './forward.ts';
import { createHandover, type Handover, predecessorOf } from './handover.ts';
import { followResolvConf } from './resolv-conf.ts';
import { createResolver } from './resolver.ts';
import { type ResolverRecord, readRecord, removeRecord, resolverFiles, writeRecord } from './resolver-record.ts';
import { listen } from './server.ts';
import { followSnapshot } from './snapshot-file.ts';

const BIND_INTERVAL_MS = 250;

export interface ServeDeps {
  readonly dir: string;
  readonly listen: string;
  readonly port: number;
  readonly resolvConf: string;
  readonly build?: string | undefined;
  /** Process of the resolver whose place this one takes, once it is ready to answer; null: none. */
  readonly replaces?: number | null;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Resolves when the signal aborted, or at once when another resolver has the folder. */
export async function serve(deps: ServeDeps): Promise<void> {
  const { dir, log, signal } = deps;
  const process_ = await processRecord(process.pid);
  if (process_ === null) throw new Error('/proc does not show this process');
  const build = deps.build === undefined ? {} : { build: deps.build };
  const at = { listen: deps.listen, port: deps.port };
  const record: ResolverRecord = { ...process_, ...at, bound: false, problem: null, ...build };
  const { replaces = null } = deps;
  const predecessor = replaces === null ? null : await predecessorOf(dir, replaces);
  // Somebody ended it: that one must not come back in our shape. Whoever wants a resolver starts one.
  if (replaces !== null && predecessor === null) return log.info({ replaces }, 'the resolver to replace is gone');
  if (await anotherServes(dir, predecessor)) return log.info({}, 'another resolver has this folder');
  // Until it has gone, the record names the one that answers.
  if (predecessor === null) await writeRecord(dir, record);
  const handover = predecessor === null ? null : createHandover(predecessor, () => performance.now());
  const snapshot = await followSnapshot(resolverFiles(dir).snapshot, log);
  try {
    const resolve = createResolver({
      snapshot,
      forward: createForwarder({ servers: followResolvConf(deps.resolvConf, deps.listen) }),
      random: Math.random,
      log,
    });
    handover?.begin();
    const open = () => listen({ address: deps.listen, port: deps.port, resolve, log });
    const close = await bound({ ...deps, record, predecessor, handover }, open);
    if (close === null) return;
    log.info({ listen: deps.listen, port: deps.port, snapshot: snapshot.current().digest }, 'resolver answers');
    await aborted(signal);
    await close();
  } finally {
    snapshot.close();
    await removeRecord(dir, process.pid);
  }
}

interface BoundDeps extends ServeDeps {
  readonly record: ResolverRecord;
  readonly predecessor: ProcessRecord | null;
  readonly handover: Handover | null;
}

/** Tries until the sockets are had; null when the signal aborted, or another one of this folder has them. */
async function bound<T>(deps: BoundDeps, open: () => Promise<T>): Promise<T | null> {
  const { dir, log, signal, record, predecessor, handover } = deps;
  let problem: string | null = null;
  while (!signal.aborted) {
    try {
      const opened = await open();
      await handover?.end();
      // Again, also if it says so already: of two that began at once, the one with the sockets is on record.
      await writeRecord(dir, { ...record, bound: true });
      return opened;
    } catch (error) {
      const handoverMs = (await handover?.retryMs()) ?? null;
      if (handoverMs !== null) {
        await sleep(handoverMs, signal);
        continue;
      }
      if (await anotherServes(dir, predecessor)) return null;
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      if (code !== problem) {
        log.warn({ err: error }, `cannot listen on ${deps.listen}:${deps.port} yet`);
        await writeRecord(dir, { ...record, problem: code });
        problem = code;
      }
      await sleep(BIND_INTERVAL_MS, signal);
    }
  }
  return null;
}

async function anotherServes(dir: string, predecessor: ProcessRecord | null): Promise<boolean> {
  const other = await readRecord(dir);
  if (other === null || other.pid === process.pid || other.pid === predecessor?.pid) return false;
  return await isAlive(other);
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
