/** File events as a wake-up beside the poll. Events get lost and are coalesced, so nothing is ever read from one. */
import { watch } from 'chokidar';

/** Calls `onEvent` when something below the paths may have changed, until the signal aborts. Failures are silence. */
export function watchPaths(paths: readonly string[], onEvent: () => void, signal: AbortSignal): void {
  if (signal.aborted) return;
  const watcher = watch([...paths], { ignoreInitial: true, atomic: false, followSymlinks: false });
  watcher.on('all', onEvent).on('error', () => undefined);
  signal.addEventListener('abort', () => void watcher.close(), { once: true });
}
