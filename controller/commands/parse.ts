/**
 * Commands in comments: the first line of a comment → a command, a sentence about what is wrong with it, or nothing at
 * all. Pure. Nothing of the comment comes out but checked words: what a person sees is what is meant.
 */
import { closest, distance } from 'fastest-levenshtein';
import { NamespaceName } from '../../schemas/names.ts';
import { PLAN_DIGITS } from '../consent/needs.ts';
import { visible } from '../plan/foreign.ts';

export type Command =
  | { readonly verb: 'plan' | 'destroy' | 'help' }
  /** `revision`: exactly this head; null: none was named. */
  | { readonly verb: 'preview'; readonly revision: string | null }
  /** `plan`: at least the first twelve digits of an id, in lower case. */
  | { readonly verb: 'approve'; readonly plan: string }
  | { readonly verb: 'promote'; readonly source: string; readonly target: string }
  /** `namespace` null: the one that the pull request is about. `release` null: the last that differs. */
  | { readonly verb: 'rollback'; readonly namespace: string | null; readonly release: number | null }
  /** `why` is a stranger's text. */
  | { readonly verb: 'freeze'; readonly namespace: string | null; readonly why: string }
  | { readonly verb: 'unfreeze'; readonly namespace: string | null };
export type Verb = Command['verb'];

export type Parsed =
  | { readonly kind: 'command'; readonly command: Command; readonly text: string }
  /** `suggestion`: sentences; nothing of the comment is in them. */
  | { readonly kind: 'mistaken'; readonly suggestion: string };

/** How each command is written. */
export const USAGE = {
  plan: '/slipway plan',
  preview: '/slipway preview [SHA]',
  destroy: '/slipway destroy',
  approve: '/slipway approve PLAN',
  promote: '/slipway promote SRC DST',
  rollback: '/slipway rollback [NS] [N]',
  freeze: '/slipway freeze [NS] [WHY]',
  unfreeze: '/slipway unfreeze [NS]',
  help: '/slipway help',
} as const satisfies Record<Verb, string>;

const VERBS = Object.keys(USAGE) as Verb[];
const LONGEST_LINE = 1_000;
const LONGEST_WHY = 200;

/** null: it is no command. */
export function parseCommand(body: string): Parsed | null {
  const line = firstLine(body);
  if (line === null || line.includes('<!--')) return null;
  const [slash = '', word = '', ...args] = line.split(/ +/);
  if (slash.toLowerCase() !== '/slipway') return null;
  // Look-alikes: another alphabet's letter is no typing mistake.
  if (!isPlain(word)) return null;
  const verb = word.toLowerCase();
  if (verb === '') return { kind: 'command', command: { verb: 'help' }, text: 'help' };
  if (!isVerb(verb)) return { kind: 'mistaken', suggestion: suggestionFor(verb) };
  if (verb !== 'freeze' && !args.every(isPlain)) return null;
  const command = PARSE[verb](args);
  if (typeof command === 'string') return { kind: 'mistaken', suggestion: `${command} Write ${USAGE[verb]}.` };
  return command === null ? null : { kind: 'command', command, text: textOf(command) };
}

/** The command in its shortest form, of checked words only; the reason of a freeze is not in it. */
function textOf(command: Command): string {
  const { verb } = command;
  switch (verb) {
    case 'preview':
      return command.revision === null ? verb : `${verb} ${command.revision}`;
    case 'approve':
      return `${verb} ${command.plan}`;
    case 'promote':
      return `${verb} ${command.source} ${command.target}`;
    case 'rollback':
      return [verb, command.namespace, command.release].filter((it) => it !== null).join(' ');
    case 'freeze':
    case 'unfreeze':
      return command.namespace === null ? verb : `${verb} ${command.namespace}`;
    case 'plan':
    case 'destroy':
    case 'help':
      return verb;
  }
}

/** The arguments of each verb: a command, null (it is none), or what is wrong as a sentence. */
const PARSE = {
  plan: (args) => none('plan', args),
  destroy: (args) => none('destroy', args),
  help: (args) => none('help', args),
  preview: ([revision, ...more]) => {
    if (revision === undefined) return { verb: 'preview', revision: null };
    const isWhole = more.length === 0 && /^[0-9a-f]{40}$/i.test(revision);
    return isWhole
      ? { verb: 'preview', revision: revision.toLowerCase() }
      : 'A preview of one head takes its whole commit id, 40 digits.';
  },
  approve: ([plan = '', ...more]) => {
    const isId = more.length === 0 && plan.length >= PLAN_DIGITS && /^[0-9a-f]{1,64}$/i.test(plan);
    return isId
      ? { verb: 'approve', plan: plan.toLowerCase() }
      : `An approval names its plan, by the first ${PLAN_DIGITS} digits of its id or more.`;
  },
  promote: ([source, target, ...more]) => {
    const [from, to] = [nameOf(source), nameOf(target)];
    if (from === null || to === null || more.length > 0) return 'A promotion names two namespaces.';
    return from === to ? 'A promotion names two different namespaces.' : { verb: 'promote', source: from, target: to };
  },
  rollback: (args) => {
    const number = (it: string | undefined) => /^#?([1-9]\d{0,8})$/.exec(it ?? '')?.[1];
    const [first, second] = args;
    const wrong = 'A rollback names a namespace, a release number, both, or neither.';
    if (args.length > 2) return wrong;
    if (first === undefined) return { verb: 'rollback', namespace: null, release: null };
    if (second === undefined && number(first) !== undefined)
      return { verb: 'rollback', namespace: null, release: Number(number(first)) };
    const namespace = nameOf(first);
    if (namespace === null || (second !== undefined && number(second) === undefined)) return wrong;
    return { verb: 'rollback', namespace, release: second === undefined ? null : Number(number(second)) };
  },
  freeze: ([name, ...why]) => {
    if (name === undefined) return { verb: 'freeze', namespace: null, why: '' };
    const namespace = nameOf(name);
    if (namespace === null) return 'A freeze with a reason names its namespace first.';
    return { verb: 'freeze', namespace, why: why.join(' ').slice(0, LONGEST_WHY) };
  },
  unfreeze: ([name, ...more]) => {
    if (name === undefined) return { verb: 'unfreeze', namespace: null };
    const namespace = nameOf(name);
    return namespace === null || more.length > 0 ? 'It takes one namespace.' : { verb: 'unfreeze', namespace };
  },
} as const satisfies Record<Verb, (args: readonly string[]) => Command | string | null>;

function none(verb: 'plan' | 'destroy' | 'help', args: readonly string[]): Command | string {
  return args.length === 0 ? { verb } : 'It takes nothing more.';
}

/**
 * The first line that is not blank, trimmed; null when it cannot be a command. Four spaces or a tab make it code, and
 * quotes, fences and HTML begin with other characters (CommonMark 0.31, sections 4.4 to 5.1).
 */
function firstLine(body: string): string | null {
  const start = /^(?:[ \t]*(?:\r\n|\r|\n))*/.exec(body.slice(0, LONGEST_LINE))?.[0].length ?? 0;
  const rest = body.slice(start, start + LONGEST_LINE + 1);
  const line = /^[^\r\n]*/.exec(rest)?.[0] ?? '';
  if (line.length > LONGEST_LINE || /^(?: {4}| {0,3}\t)/.test(line)) return null;
  const text = line.replaceAll('\t', ' ').replaceAll(/^ +| +$/g, '');
  if (!text.startsWith('/')) return null;
  const words = text.split(/ +/);
  // A reason may have an emoji in it; the words that act may not.
  const isFreeze = words[1]?.toLowerCase() === 'freeze';
  return (isFreeze ? words.slice(0, 3) : words).every(isVisible) ? text : null;
}

/** Nothing in it shows nothing, or turns text around: whoever reads the line sees what it says. */
function isVisible(word: string): boolean {
  return visible(word) === word;
}

function isPlain(word: string): boolean {
  return /^[!-~]*$/.test(word);
}

function isVerb(word: string): word is Verb {
  return Object.hasOwn(USAGE, word);
}

/** Phones write names with a capital letter. */
function nameOf(word: string | undefined): string | null {
  const name = NamespaceName.safeParse(word?.toLowerCase());
  return name.success ? name.data : null;
}

function suggestionFor(word: string): string {
  const best = closest(word.slice(0, 32), VERBS) as Verb;
  const near = word.length <= 32 && distance(word, best) <= 2;
  return near
    ? `There is no such command; did you mean ${USAGE[best]}?`
    : 'There is no such command: /slipway help lists them.';
}
