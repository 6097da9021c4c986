/**
 * `npm run bench [-- [--quick] NAME…]`: runs the benchmarks (all by default) and writes their tables into README.md
 * beside this file. With --quick everything is as small as it gets and is printed instead. (Run by `node --import tsx`:
 * the `tsx` command would end at Ctrl-C before everything that was started is ended.)
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Benchmark } from './benchmark.ts';
import { comment } from './comment.ts';
import { commitToServing } from './commit-to-serving.ts';
import { deployService } from './deploy-service.ts';
import { gitRequests } from './git-requests.ts';
import { machineFacts } from './machine-facts.ts';
import { memory } from './memory.ts';
import { plan } from './plan.ts';
import { preview } from './preview.ts';
import { pullComment } from './pull-comment.ts';
import { secretRotation } from './secret-rotation.ts';
import { replacePart } from './table.ts';
import { unchangedPoll } from './unchanged-poll.ts';
import { webhookFlood } from './webhook-flood.ts';

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  'commit-to-serving': commitToServing,
  'deploy-service': deployService,
  plan,
  comment,
  'pull-comment': pullComment,
  'git-requests': gitRequests,
  preview,
  'unchanged-poll': unchangedPoll,
  memory,
  'secret-rotation': secretRotation,
  'webhook-flood': webhookFlood,
};

const README = fileURLToPath(new URL('README.md', import.meta.url));

const { values, positionals } = parseArgs({ options: { quick: { type: 'boolean' } }, allowPositionals: true });
const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS);
const unknown = names.filter((it) => !Object.hasOwn(BENCHMARKS, it));
if (unknown.length > 0) {
  process.stderr.write(`no benchmark ${unknown.join(', ')}; there are ${Object.keys(BENCHMARKS).join(', ')}\n`);
  process.exit(64);
}

// Once, before anything runs: later on we ourselves are what the machine is busy with.
const facts = await machineFacts();
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
const begunAt = performance.now();
const say = (line: string) => {
  const seconds = ((performance.now() - begunAt) / 1_000).toFixed(0);
  process.stderr.write(`${seconds.padStart(5)} s  ${line}\n`);
};

async function measure(name: string): Promise<void> {
  interrupted.signal.throwIfAborted();
  say(`${name}: begins`);
  const found = await BENCHMARKS[name]?.({
    quick: values.quick === true,
    signal: interrupted.signal,
    say: (line) => say(`${name}: ${line}`),
  });
  const part = `${facts}\n\n${found ?? ''}`;
  if (values.quick === true) process.stdout.write(`\n## ${name}\n\n${part}\n\n`);
  else await replacePart(README, name, part);
}

try {
  for (const name of names) await measure(name);
  say('done');
} catch (error) {
  if (!interrupted.signal.aborted) throw error;
  say('interrupted; what was started has been ended');
  process.exitCode = 130;
}
