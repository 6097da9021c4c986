/** What git is asked for by a push, by number of namespaces that it changes: the built controller and git over HTTP. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureWebImage, WEB_IMAGE } from '../test/lab/images.ts';
import type { BenchContext } from './benchmark.ts';
import { type PullLab, seen, startPullLab } from './pull-lab.ts';
import { table } from './table.ts';

/** Requests of one push: packs, and lists of refs. */
interface Asked {
  readonly fetches: number;
  readonly lists: number;
}

interface Measured {
  readonly namespaces: number;
  readonly toMain: readonly Asked[];
  readonly toPull: readonly Asked[];
  readonly again: readonly Asked[];
}

const SIZES = [1, 50] as const;
const PUSHES = 3;
/** Everything that a push leads to has been asked for by then; hooks may look at a branch once a second. */
const QUIET_MS = 2_000;
/** Nothing runs in them: every plan waits for an approval that nobody gives. */
const SETTINGS = (names: readonly string[]) => names.map((it) => `[approvals.${it}]\nrequired = true\n`).join('\n');

export async function gitRequests(context: BenchContext): Promise<string> {
  await ensureWebImage();
  const measured: Measured[] = [];
  for (const size of context.quick ? [1, 2] : SIZES) measured.push(await measure(context, size));
  return report(measured);
}

async function measure(context: BenchContext, size: number): Promise<Measured> {
  const names = Array.from({ length: size }, (_, index) => `n${String(index + 1).padStart(3, '0')}`);
  const lab = await startPullLab({ files: { 'slipway.toml': SETTINGS(names), ...manifests(names, '0') } });
  try {
    const count = async (act: () => Promise<unknown>) => await counted(context, lab, act);
    const pushes = Array.from({ length: context.quick ? 1 : PUSHES }, (_, index) => `${index + 1}`);
    const pull = await openPull(context, lab, names);
    const toMain: Asked[] = [];
    const toPull: Asked[] = [];
    const again: Asked[] = [];
    for (const push of pushes) {
      toMain.push(await count(() => lab.fleet.commit('main', { ...manifests(names, `main ${push}`) })));
    }
    for (const push of pushes) {
      toPull.push(await count(() => lab.fleet.commit('change', manifests(names, `pull ${push}`), { by: 'alice' })));
      // A title is changed: looked at again, at the same head.
      again.push(await count(async () => lab.fleet.edit(pull, { title: `Change ${push}` }, 'alice')));
    }
    context.say(`${size} namespaces: ${JSON.stringify({ toMain, toPull, again })}`);
    return { namespaces: size, toMain, toPull, again };
  } finally {
    await lab.close();
  }
}

/** Opens one that changes all of them, and waits until every one of them has its comment. */
async function openPull(context: BenchContext, lab: PullLab, names: readonly string[]): Promise<number> {
  await lab.fleet.commit('change', manifests(names, 'pull 0'), { by: 'alice' });
  const number = await lab.fleet.openPull({ head: 'change', by: 'alice' });
  const all = () => lab.fleet.commentsOf(number).length === names.length;
  await seen('a comment for each namespace', all, context);
  await sleep(QUIET_MS, undefined, { signal: context.signal });
  return number;
}

async function counted({ signal }: BenchContext, lab: PullLab, act: () => Promise<unknown>): Promise<Asked> {
  const before = lab.github.requests.length;
  await act();
  // Comments of many namespaces take their time.
  for (let known = -1; known !== lab.github.requests.length; ) {
    known = lab.github.requests.length;
    await sleep(QUIET_MS, undefined, { signal });
  }
  const asked = lab.github.requests.slice(before).filter((it) => it.operation === 'git');
  const fetches = asked.filter((it) => it.method === 'POST').length;
  return { fetches, lists: asked.length - fetches };
}

function manifests(names: readonly string[], version: string): Record<string, string> {
  const service = { name: 'web', template: { image: WEB_IMAGE, env: { VERSION: version } } };
  const text = (namespace: string) => `${JSON.stringify({ namespace, services: [service] }, null, 2)}\n`;
  return Object.fromEntries(names.map((it) => [`namespaces/${it}.json`, text(it)]));
}

function report(rows: readonly Measured[]): string {
  const most = (asked: readonly Asked[], of: keyof Asked) => String(Math.max(...asked.map((it) => it[of])));
  const row = (namespaces: number, what: string, asked: readonly Asked[]) => [
    what,
    String(namespaces),
    `**${most(asked, 'fetches')}**`,
    most(asked, 'lists'),
  ];
  const cells = rows.flatMap(({ namespaces, toMain, toPull, again }) => [
    row(namespaces, 'to the tracked branch', toMain),
    row(namespaces, "to a pull request's branch", toPull),
    row(namespaces, 'none: its title is changed', again),
  ]);
  const runs = rows[0]?.toMain.length ?? 0;
  return `The most of ${runs} pushes each:\n\n${table(['push', 'namespaces it changes', 'packs fetched', 'lists of refs'], cells)}`;
}
