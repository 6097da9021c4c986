/** Life of the resolver process: one for each folder, waiting for the bridge, answering until the signal aborts. */
import type { Logger } from '../../schemas/logger.ts';
import { isAlive, processRecord } from '../../store/process-record.ts';
import { sleep } from '../waiting.ts';
import { createForwarder } from './forward.ts';
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
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Resolves when the signal aborted, or at once when another resolver has the folder. */
export async function serve(deps: ServeDeps): Promise<void> {
  const { dir, log, signal } = deps;
  const process_ = await processRecord(process.pid);
  if (process_ === null) throw new Error('/proc does not show this process');
  const record: ResolverRecord = { ...process_, listen: deps.listen, port: deps.port, bound: false, problem: null };
  if (await anotherServes(dir)) return log.info({}, 'another resolver has this folder');
  await writeRecord(dir, record);
  const snapshot = await followSnapshot(resolverFiles(dir).snapshot, log);
  try {
    const resolve = createResolver({
      snapshot,
      forward: createForwarder({ servers: followResolvConf(deps.resolvConf, deps.listen) }),
      random: Math.random,
      log,
    });
    const close = await bound(deps, record, () => listen({ address: deps.listen, port: deps.port, resolve, log }));
    if (close === null) return;
    log.info({ listen: deps.listen, port: deps.port, snapshot: snapshot.current().digest }, 'resolver answers');
    await aborted(signal);
    await close();
  } finally {
    snapshot.close();
    await removeRecord(dir, process.pid);
  }
}

/** Tries until the sockets are had; null when the signal aborted, or another one of this folder has them. */
async function bound<T>(deps: ServeDeps, record: ResolverRecord, open: () => Promise<T>): Promise<T | null> {
  const { dir, log, signal } = deps;
  let problem: string | null = null;
  while (!signal.aborted) {
    try {
      const opened = await open();
      // Again, also if it says so already: of two that began at once, the one with the sockets is on record.
      await writeRecord(dir, { ...record, bound: true });
      return opened;
    } catch (error) {
      if (await anotherServes(dir)) return null;
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

async function anotherServes(dir: string): Promise<boolean> {
  const other = await readRecord(dir);
  return other !== null && other.pid !== process.pid && (await isAlive(other));
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
