/** Facts and findings as the lines of one screen: two when all is well. Text is escaped by whoever prints it. Pure. */
import { frozenText } from '../consent/frozen.ts';
import type { SlotView } from '../slots.ts';
import { type GitFacts, isLive, type WhyFacts } from './facts.ts';
import type { Finding } from './findings.ts';

const MAX_FIELDS = 8;
const MAX_DETAILS = 12;
const MAX_SLOTS = 8;
const MAX_DRIFT = 3;

/** What to print. `table`: between the lines before and after. */
export interface WhyPage {
  readonly lines: readonly string[];
  readonly slots: { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] } | null;
  readonly after: readonly string[];
}

/** The page about one service. */
export function whyPage(facts: WhyFacts, findings: readonly Finding[]): WhyPage {
  const title = liveText(facts);
  if (isWell(facts, findings)) return { lines: [title, wellText(facts)], slots: null, after: [] };
  const next = findings.find((it) => it.next !== null)?.next ?? null;
  return {
    lines: [title, ...gitLines(facts), ...findings.flatMap(findingLines)],
    slots: slotTable(facts.slots),
    after: [...driftLines(facts), `next: ${next ?? 'nothing; it is on its way'}`],
  };
}

/** Nothing to say but that it is as it should be. */
function isWell({ git, live }: WhyFacts, findings: readonly Finding[]): boolean {
  return findings.length === 0 && isLive(live) && git.kind !== 'differs' && git.kind !== 'gone';
}

function wellText({ git, live, slots, drift, record, frozen }: WhyFacts): string {
  const job = live?.service?.job === true;
  const end = live?.service?.jobEnd ?? null;
  const ran =
    end === null ? 'its job has not run to its end' : `its job ended with exit code ${end.exitCode} at ${end.at}`;
  const state = job ? ran : `${slots.length} of ${slots.length} ready`;
  const healed = drift.at(-1);
  const last = healed === undefined ? '' : `; last healed ${healed.at}: ${healed.slot}, ${healed.what}`;
  const hold = record.held === null ? '' : `; held by ${record.held.by}: ${record.held.why}`;
  const freeze = frozen === null ? '' : `; ${frozenText(frozen)}`;
  return `${WELL[git.kind](git)}; ${state}${hold}${freeze}${last}`;
}

const WELL: Record<GitFacts['kind'], (git: GitFacts) => string> = {
  none: () => 'no repository is followed',
  unavailable: () => 'git cannot be read',
  invalid: () => 'git has problems',
  same: (git) => `as git says at ${revisionOf(git)}`,
  differs: () => 'differs from git',
  new: () => 'only in git',
  gone: () => 'no longer in git',
  elsewhere: () => 'not managed by git',
};

function revisionOf(git: GitFacts): string {
  return 'revision' in git ? git.revision.slice(0, 10) : '';
}

function liveText({ namespace, service, live }: WhyFacts): string {
  const name = `${namespace}/${service}`;
  if (live === null) return `${name}: not live; ${namespace} has no release`;
  if (live.service === null) return `${name}: not live; release #${live.n} does not have it`;
  const { since, at, by } = live.service;
  const now = since === live.n ? '' : ` (now #${live.n})`;
  return `${name}: live as it is since release #${since} of ${at} by ${by}${now}`;
}

function gitLines({ git }: WhyFacts): string[] {
  const at = revisionOf(git);
  switch (git.kind) {
    case 'none':
      return ['git: no repository is followed'];
    case 'unavailable':
    case 'invalid':
      return [];
    case 'elsewhere':
      return [`git: ${at} does not have this namespace; it was deployed by hand`];
    case 'same':
      return [`git: ${at} says the same`];
    case 'new':
      return [`git: ${at} has it`];
    case 'gone':
      return [`git: ${at} no longer has it`];
    case 'differs': {
      const shown = git.fields.slice(0, MAX_FIELDS).map((it) => `  ${it.path}: ${it.before} -> ${it.after}`);
      const more = git.fields.length - shown.length;
      const fields = git.fields.length === 1 ? '1 field' : `${git.fields.length} fields`;
      return [`git: ${at} differs in ${fields}`, ...shown, ...(more > 0 ? [`  and ${more} more`] : [])];
    }
  }
}

function findingLines({ text, details }: Finding): string[] {
  const [first = '', ...rest] = text.split('\n');
  const all = [...rest, ...details];
  const shown = all.slice(0, MAX_DETAILS).map((it) => `  ${it}`);
  const more = all.length - shown.length;
  return [`- ${first}`, ...shown, ...(more > 0 ? [`  and ${more} more lines`] : [])];
}

/** Those that are not ready first. */
function slotTable(views: readonly SlotView[]): WhyPage['slots'] {
  if (views.length === 0) return null;
  const sorted = [...views.filter((it) => it.state !== 'ready'), ...views.filter((it) => it.state === 'ready')];
  const rows = sorted
    .slice(0, MAX_SLOTS)
    .map(({ slot, machine, state, report }) => [
      slot,
      machine,
      state,
      report?.since ?? '',
      report === null ? '' : String(report.restarts),
      String(report?.exitCode ?? ''),
      report?.lastProbe ?? '',
    ]);
  const more = views.length - rows.length;
  if (more > 0) rows.push([`and ${more} more`, '', '', '', '', '', '']);
  return { head: ['SLOT', 'MACHINE', 'STATE', 'SINCE', 'RESTARTS', 'EXIT', 'LAST PROBE'], rows };
}

function driftLines({ drift }: WhyFacts): string[] {
  const shown = drift.slice(-MAX_DRIFT);
  return shown.length === 0 ? [] : ['healed lately:', ...shown.map((it) => `  ${it.at} ${it.slot}: ${it.what}`)];
}
