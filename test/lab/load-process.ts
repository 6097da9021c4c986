/** The process in which the clients of a load run: started and asked by load.ts over its IPC channel. */
import { setMaxListeners } from 'node:events';
import { type LoadTarget, runClients } from './load-clients.ts';
import { createRecorder, type LoadRecord, type Recorder } from './load-record.ts';

export type LoadCommand =
  | { readonly do: 'add'; readonly id: number; readonly port: number; readonly target: LoadTarget }
  | { readonly do: 'lap'; readonly id: number; readonly hosts: readonly string[] | null }
  | { readonly do: 'stop'; readonly id: number };

/** The answer to the command of that id. */
export interface LoadReply {
  readonly id: number;
  readonly record: LoadRecord;
}

const recorders = new Map<string, Recorder>();
const stopping = new AbortController();
// Every client's wait listens to it.
setMaxListeners(0, stopping.signal);
const running: Promise<void>[] = [];

function lap(hosts: readonly string[] | null): LoadRecord {
  const wanted = [...recorders].filter(([host]) => hosts === null || hosts.includes(host));
  return Object.fromEntries(wanted.map(([host, recorder]) => [host, recorder.lap()]));
}

process.on('message', (command: LoadCommand) => {
  void carryOut(command).then((record) => process.send?.({ id: command.id, record } satisfies LoadReply));
});

async function carryOut(command: LoadCommand): Promise<LoadRecord> {
  if (command.do === 'lap') return lap(command.hosts);
  if (command.do === 'add') {
    const recorder = createRecorder(() => Date.now());
    recorders.set(command.target.host, recorder);
    running.push(runClients(command.port, command.target, recorder, stopping.signal));
    return {};
  }
  stopping.abort();
  await Promise.all(running);
  return lap(null);
}

// Whoever started us is gone.
process.on('disconnect', () => process.exit(0));
