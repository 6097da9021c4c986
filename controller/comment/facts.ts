/** Facts: the table on the first screen of a comment, one row a question that reviewers ask. Pure, and bounded in size. */
import { hasChanges, type Plan } from '../../schemas/plan.ts';
import { shortId } from '../consent/needs.ts';
import { firstOf, shortCode, shortProse } from '../plan/bounds.ts';
import { downtimeWords } from '../plan/describe.ts';
import { type Effects, effectsOf } from '../plan/effects.ts';
import { codeSpan, link, tableRow } from '../plan/foreign.ts';
import { count } from '../plan/plan-sections.ts';
import { commitLink, instant } from './links.ts';
import type { CommentModel, PreviewView } from './model.ts';

const NAMES_SHOWN = 5;

type Row = readonly [name: string, text: string];

/** The table as lines. */
export function factsTable(model: CommentModel): string[] {
  const rows = [
    ...revisionRows(model),
    ...(model.outcome.kind === 'planned' && !model.closed ? planRows(model.outcome.plan) : []),
    ...agreementRow(model),
    ...deployRow(model),
    ...(model.preview === null ? [] : [['Preview', previewText(model.preview)] as const]),
  ];
  return [tableRow(['', '']), tableRow(['---', '---']), ...rows.map(([name, text]) => tableRow([`**${name}**`, text]))];
}

function revisionRows({ head, base, baseBranch, live, merged, webUrl }: CommentModel): Row[] {
  const from = live === null || live.revision === null ? '' : ` of ${commitLink(webUrl, live.revision)}`;
  const asMerged =
    merged === null || merged.revision === null ? '' : `, merged as ${commitLink(webUrl, merged.revision)}`;
  const onto = `${commitLink(webUrl, base)} of ${shortCode(baseBranch)}`;
  return [
    ['Head → base', `${commitLink(webUrl, head)} → ${onto}${asMerged}`],
    ['Live', live === null ? 'nothing' : `release ${live.n}${from}, since ${instant(live.at)}`],
  ];
}

function planRows(plan: Plan): Row[] {
  const effects = effectsOf(plan);
  const id: Row = ['Plan', codeSpan(shortId(plan.id))];
  if (!hasChanges(plan)) return [['Changes', `none, ${effects.changes.unchanged} unchanged`], id];
  const also = [
    ...(effects.restarts > 0
      ? [`${count(effects.restarts, 'instance')} ${effects.restarts === 1 ? 'is' : 'are'} replaced`]
      : []),
    ...(effects.jobs.length > 0 ? [`jobs run: ${names(effects.jobs)}`] : []),
  ];
  const away = plan.downtime.services.map((it) => it.service);
  const volumes = [
    ...(effects.volumesMade.length > 0 ? [`made: ${names(effects.volumesMade)}`] : []),
    ...(effects.volumesHandedOver.length > 0 ? [`handed to new instances: ${names(effects.volumesHandedOver)}`] : []),
  ];
  return [
    ['Changes', [countsText(effects), ...also].join('; ')],
    ['Downtime', away.length === 0 ? downtimeWords(plan) : `${downtimeWords(plan)}: ${names(away)}`],
    ['Volumes', volumes.length === 0 ? 'not touched' : volumes.join('; ')],
    id,
  ];
}

function countsText({ changes, inPlace }: Effects): string {
  const also = inPlace > 0 ? ` (${inPlace} in place)` : '';
  const parts = [
    ...(changes.create > 0 ? [`${changes.create} to create`] : []),
    ...(changes.update > 0 ? [`${changes.update} to update${also}`] : []),
    ...(changes.remove > 0 ? [`${changes.remove} to remove`] : []),
    `${changes.unchanged} unchanged`,
  ];
  return parts.join(', ');
}

function names(all: readonly string[]): string {
  return firstOf(all, NAMES_SHOWN, shortCode);
}

function agreementRow({ given }: CommentModel): Row[] {
  if (given.length === 0) return [];
  const agreed = given.slice(0, NAMES_SHOWN).map((it) => `${it.kind} by ${shortCode(it.by)}`);
  return [['Agreed', agreed.join(', ')]];
}

function deployRow({ merged }: CommentModel): Row[] {
  const deploy = merged?.deploy ?? null;
  if (deploy === null) return [];
  const { id, actor, startedAt, endedAt, releases, pending } = deploy;
  const text = [
    `${codeSpan(id)} by ${shortCode(actor)}, begun ${instant(startedAt)}`,
    ...(endedAt === null ? [] : [`ended ${instant(endedAt)}`]),
    ...(releases.length === 0 ? [] : [`release ${releases.slice(-NAMES_SHOWN).join(', ')}`]),
    ...(pending.length === 0 ? [] : [`not yet confirmed by ${names(pending)}`]),
  ];
  return [['Deploy', text.join(', ')]];
}

/** State → sign and words. */
const PREVIEWS = {
  starting: '⏳ starting',
  'waiting-for-image': '⏳ waits for an image',
  running: '✅ running',
  failed: '❌ failed',
  removing: '⏳ is being removed',
  removed: '⚪ removed',
  refused: '⚠️ none',
} as const satisfies Record<PreviewView['state'], string>;

function previewText({ namespace, state, urls, message, forkedFrom, release, expiresAt }: PreviewView): string {
  const shown = urls.slice(0, NAMES_SHOWN).map((it) => link(shortCode(it.service), it.url));
  const more = urls.length > NAMES_SHOWN ? ` and ${urls.length - NAMES_SHOWN} more` : '';
  const gone = state === 'removed' || state === 'refused';
  const about = [
    shortCode(namespace),
    ...(forkedFrom === null ? [] : [`forked from ${shortCode(forkedFrom)}`]),
    ...(release === null ? [] : [`release ${release}`]),
    ...(expiresAt === null || gone ? [] : [`until ${instant(expiresAt)}`]),
  ].join(', ');
  return [
    `${PREVIEWS[state]}${shown.length === 0 || gone ? '' : `: ${shown.join(' · ')}${more}`}`,
    about,
    ...(message === '' ? [] : [shortProse(message, 800)]),
  ].join('<br>');
}
