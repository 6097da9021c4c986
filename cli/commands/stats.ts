/** `slipway stats`: what instances use, redrawn each second on a terminal, else once; JSON lines with `--json`. */
import { readSnapshots } from '../../controller/execute/situation.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { connect } from '../connect.ts';
import { parseTarget } from '../exec/target.ts';
import { EXIT } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import type { CommandContext } from '../run-command.ts';
import { followStats } from '../stats/follow.ts';
import { type Sample, STATS_HEAD, statsRows } from '../stats/table.ts';
import { unknownNamespace } from './resume.ts';

/** The first sample of a container takes two seconds: CPU is what was used between two looks. */
const FIRST_WITHIN_MS = 5_000;
const REDRAW_MS = 1_000;
/** An instance that has not been heard of for this long has ended. */
const FORGET_MS = 5_000;

export async function stats(context: CommandContext): Promise<number> {
  const { output } = context;
  const of = wanted(context.args[0]);
  await using connection = await connect(context);
  const { store, clock } = connection;
  if (of.namespace !== undefined && (await store.log.tip(of.namespace)) === 0)
    throw unknownNamespace(of.namespace, await store.log.namespaces());
  const machines = (await readSnapshots(store)).map((it) => it.machine);
  if (machines.length === 0)
    throw new SlipwayError('MACHINE_UNREACHABLE', 'no agent has reported in the last 90 s; `slipway up` starts one');
  const once = context.options['stream'] === false || (!output.terminal && !output.json);
  const latest = new Map<string, { sample: Sample; seenAt: number }>();
  const counts = new Map<string, number>();
  const over = new AbortController();
  const signal = AbortSignal.any([context.signal, over.signal]);
  const onSample = (sample: Sample) => {
    latest.set(`${sample.machine}/${sample.namespace}/${sample.slot}`, { sample, seenAt: clock.now() });
    if (output.json && !once) output.item(sample, '');
  };
  const following = Promise.all(
    machines.map(async (machine) => {
      const onCount = (count: number) => counts.set(machine, count);
      await followStats({ messages: store.messages, clock, machine, of, onSample, onCount, signal });
    }),
  );
  const total = () => [...counts.values()].reduce((sum, it) => sum + it, 0);
  const samples = () => [...latest.values()].map((it) => it.sample);
  const first = async () => {
    const untilMs = clock.now() + FIRST_WITHIN_MS;
    while (!signal.aborted && (counts.size < machines.length || latest.size < total()) && clock.now() < untilMs)
      await clock.sleep(50, signal).catch(() => undefined);
  };
  try {
    await Promise.race([following, first()]);
    if (total() === 0 && of.namespace !== undefined && !signal.aborted)
      throw new SlipwayError('UNKNOWN_NAMESPACE', `nothing of ${context.args[0]} runs on a machine that reports`);
    if (once) print(output, samples());
    else if (output.json) await following;
    else await Promise.race([following, redraw()]);
  } finally {
    over.abort();
    await following.catch(() => undefined);
  }
  return EXIT.ok;

  async function redraw(): Promise<void> {
    // Nobody else pays for loading it.
    const { createLogUpdate } = await import('log-update');
    const update = createLogUpdate(process.stdout);
    while (!signal.aborted) {
      for (const [key, it] of latest) if (clock.now() - it.seenAt > FORGET_MS) latest.delete(key);
      update(output.tableText(STATS_HEAD, statsRows(samples())));
      await clock.sleep(REDRAW_MS, signal).catch(() => undefined);
    }
    update.done();
  }
}

function print(output: Output, samples: readonly Sample[]): void {
  if (output.json) for (const it of samples) output.item(it, '');
  else if (samples.length === 0) output.line('nothing runs');
  else output.table(STATS_HEAD, statsRows(samples));
}

/** Nothing, NAMESPACE, NAMESPACE/SERVICE or NAMESPACE/SERVICE.INDEX. */
function wanted(text: string | undefined): { namespace?: string; service?: string; slot?: string } {
  if (text === undefined) return {};
  if (!text.includes('/')) return { namespace: text };
  const { namespace, service, slot } = parseTarget(text);
  return slot === null ? { namespace, service } : { namespace, slot };
}
