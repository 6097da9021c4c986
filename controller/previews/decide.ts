/** What is to become of a pull request's preview. Pure; every refusal is a sentence for the comment. */
import { isFork } from '../../schemas/forge.ts';
import { LABEL, type NamespaceName } from '../../schemas/names.ts';
import type { PreviewRecord } from '../../schemas/preview.ts';
import { PREVIEW_SECRETS } from '../../schemas/secret.ts';
import type { PreviewWish } from './port.ts';

export interface PreviewFacts {
  /** What this pull request has; null: nothing, or nothing any more. */
  readonly own: PreviewRecord | null;
  /** Previews of other pull requests that run or are being removed. */
  readonly others: readonly PreviewRecord[];
  /** Whether the name belongs to somebody else: what git or people made there, volumes that were left there. */
  readonly taken: boolean;
  readonly sourceIsLive: boolean;
  readonly nowMs: number;
}

export type PreviewDecision =
  /** Nothing is wanted and nothing is there. */
  | { readonly act: 'none' }
  | { readonly act: 'make'; readonly namespace: NamespaceName; readonly expiresAtMs: number }
  /** What is there stays as it is, because nothing better is known. */
  | { readonly act: 'stay'; readonly why: string }
  | { readonly act: 'refuse'; readonly why: string }
  | { readonly act: 'remove'; readonly why: string };

export function decidePreview(wish: PreviewWish, facts: PreviewFacts): PreviewDecision {
  const { own } = facts;
  const over = notWanted(wish, facts.nowMs);
  if (over !== null)
    return own === null
      ? over.said
        ? { act: 'refuse', why: over.why }
        : { act: 'none' }
      : { act: 'remove', why: over.why };
  const obstacle = obstacleTo(wish, facts);
  if (obstacle !== null) return own === null ? { act: 'refuse', why: obstacle } : { act: 'stay', why: obstacle };
  const { settings, pull, pushedAt } = wish;
  return {
    act: 'make',
    namespace: own?.namespace ?? previewName(settings.previews.name, pull.number),
    expiresAtMs: Date.parse(pushedAt) + settings.previews.ttlMs,
  };
}

/** The namespace of a pull request's preview. */
export function previewName(pattern: string, number: number): NamespaceName {
  return pattern.replaceAll('{number}', String(number));
}

/** Why there is to be none; `said`: people wait for one and are told. null: one is wanted. */
function notWanted(
  { pull, settings, stopped, pushedAt }: PreviewWish,
  nowMs: number,
): { why: string; said: boolean } | null {
  const { source, label, ttlMs } = settings.previews;
  if (pull.state !== 'open') return { why: `the pull request is ${pull.state}`, said: false };
  if (source === null) return { why: '[previews] source of slipway.toml is not set', said: false };
  if (stopped) return { why: 'it was destroyed on request; `/slipway preview` makes it again', said: true };
  if (label !== '' && !pull.labels.includes(label))
    return { why: `the pull request has no label ${label}`, said: false };
  if (Date.parse(pushedAt) + ttlMs <= nowMs)
    return { why: 'its time is over; a push or `/slipway preview` makes it again', said: true };
  return null;
}

/** Why it cannot be made, or made anew, now. */
function obstacleTo({ pull, settings, fleet, allowedHead }: PreviewWish, facts: PreviewFacts): string | null {
  const { previews } = settings;
  const source = previews.source ?? '';
  const name = previewName(previews.name, pull.number);
  if (isFork(pull) && allowedHead !== pull.head.revision) {
    return 'its head comes from another repository, and nobody let it run yet';
  }
  if (!LABEL.test(name) || name === PREVIEW_SECRETS)
    return `[previews] name of slipway.toml makes ${JSON.stringify(name)}, which cannot be the name of a namespace`;
  if (fleet === null) return 'what a merge would give cannot be told now';
  if (fleet.invalid.has(source)) return `the manifests of ${source} have problems`;
  if (!fleet.desired.some((it) => it.namespace === source)) return `there is no namespace ${source} to fork from`;
  if (!facts.sourceIsLive) return `${source} is not live yet, so there is nothing to fork from`;
  if (facts.own !== null) return null;
  if (facts.taken || fleet.desired.some((it) => it.namespace === name)) return `there is a namespace ${name} already`;
  if (facts.others.length >= previews.max) {
    const those = facts.others.map((it) => `#${it.pull}`).join(', ');
    return `there are ${facts.others.length} previews (${those || 'none'}), and [previews] max allows ${previews.max}: one has to go first`;
  }
  return null;
}
