/**
 * Findings: each reason why a service is not what git says, or not well, with the command that does something about it.
 * In the order in which a person should read them; the first `next` is the one to follow. Pure.
 */
import type { AgreementKind } from '../../schemas/consent.ts';
import type { Deploy } from '../../schemas/deploy.ts';
import { advice } from '../advice.ts';
import { frozenText, thawCommand } from '../consent/frozen.ts';
import type { SlotView } from '../slots.ts';
import { isLive, type WhyFacts } from './facts.ts';

export interface Finding {
  /** Stable, for programs: `held`, `failed`, `waiting` … */
  readonly kind: string;
  /** A sentence; lines that follow are details. */
  readonly text: string;
  /** Lines under it, bounded by whoever shows them. */
  readonly details: readonly string[];
  /** What to do; null: nothing, or it is said elsewhere. */
  readonly next: string | null;
}

type Finder = (facts: WhyFacts) => readonly Finding[];

const MAX_LOG_LINES = 5;

/** Every reason, most telling first; empty: all is well. */
export function findingsOf(facts: WhyFacts): Finding[] {
  return FINDERS.flatMap((find) => find(facts));
}

/** Whoever learns a new reason adds a finder at the place where a person wants to read it. */
const FINDERS: readonly Finder[] = [
  notLive,
  source,
  frozen,
  held,
  waiting,
  agreements,
  failed,
  quarantined,
  notYet,
  slots,
  dependencies,
];

function notLive({ live, git, namespace, service }: WhyFacts): Finding[] {
  if (isLive(live)) return [];
  if (git.kind === 'new') return [];
  const where =
    live === null ? `nothing of ${namespace} is live` : `release #${live.n} of ${namespace} has no ${service}`;
  const said = git.kind === 'same' || git.kind === 'elsewhere' ? ', and neither has git' : '';
  return [finding('not-live', `${where}${said}`, live === null ? 'slipway status' : `slipway status ${namespace}`)];
}

function source({ git, source: report, namespace }: WhyFacts): Finding[] {
  if (git.kind === 'unavailable') {
    const text = `git cannot be read, so what it says is unknown; nothing is changed or removed for it: ${git.message}`;
    return [finding('source-unavailable', text, 'slipway status')];
  }
  if (git.kind === 'invalid') {
    const text = `the manifests of revision ${short(git.revision)} cannot be used; what is live stays as it is`;
    return [
      {
        ...finding('source-invalid', text, 'mend it and commit; `slipway validate` checks before'),
        details: git.problems,
      },
    ];
  }
  if (report?.kind === 'rewound') {
    const text = `the controller does not follow revision ${short(report.revision ?? '')}: the branch was rewound`;
    return [{ ...finding('source-rewound', text, `slipway deploy ${namespace}`), details: report.messages }];
  }
  return [];
}

function frozen({ frozen: freeze, git }: WhyFacts): Finding[] {
  return freeze === null || AGREES.has(git.kind) ? [] : [finding('frozen', frozenText(freeze), thawCommand(freeze))];
}

/** A hold that stands in the way is said before: without it the loop would ask again. */
function agreements({ pending, git }: WhyFacts): Finding[] {
  if (AGREES.has(git.kind)) return [];
  return pending.slice(0, MAX_PENDING).map(({ plan, needs, reasons, by, at }) => {
    const commands = needs.map((it) => `slipway ${AGREE[it]} ${plan.slice(0, 12)}`);
    const text = `plan ${plan.slice(0, 12)}, asked for by ${by} at ${at}, waits for ${needs.join(' and ')}`;
    return { ...finding(`wants-${needs[0] ?? 'consent'}`, text, commands.join('; ')), details: reasons };
  });
}

const MAX_PENDING = 3;
const AGREE = { consent: 'consent', approval: 'approve' } as const satisfies Record<AgreementKind, string>;

/** Only where git would bring it back: what nobody asks for explains nothing. */
function quarantined({ quarantined: all, git }: WhyFacts): Finding[] {
  if (git.kind !== 'differs' && git.kind !== 'new') return [];
  return all.map(({ release, rollback }) =>
    finding(
      'quarantined',
      `as of release #${release} it was rolled back by ${rollback.actor} at ${rollback.at} (#${rollback.n}): to bring that back needs consent`,
      null,
    ),
  );
}

const AGREES: ReadonlySet<WhyFacts['git']['kind']> = new Set(['same', 'none', 'elsewhere']);

function held({ record, namespace, git }: WhyFacts): Finding[] {
  const { held: hold } = record;
  // Where git says the same, or nothing, it explains nothing.
  if (hold === null || AGREES.has(git.kind)) return [];
  // A hold is bound to what git said then: it ends by itself with something new.
  const over = hold.desiredDigest !== null && 'desiredDigest' in git && git.desiredDigest !== hold.desiredDigest;
  if (over) return [];
  return [finding('held', `held by ${hold.by} since ${hold.at}: ${hold.why}`, `slipway resume ${namespace}`)];
}

function waiting({ open, leaseHolder, namespace }: WhyFacts): Finding[] {
  if (open.length === 0 && leaseHolder !== null)
    return [finding('waiting', `${leaseHolder} has the lease of ${namespace} and has not begun to deploy`, null)];
  return open.map((it) =>
    finding(
      'waiting',
      `deploy ${it.id} by ${it.actor} is ${it.state} since ${it.startedAt}: ${phaseOf(it)}${leaseHolder === null ? '; nobody works on it: the next deploy ends it first' : ''}`,
      leaseHolder === null ? `slipway deploy ${namespace}` : `slipway events -f, or slipway abort ${namespace}`,
    ),
  );
}

function phaseOf({ phase, phases, pending, state }: Deploy): string {
  if (state === 'cleanup-pending') return `live; still to clean up on ${pending.join(', ')}`;
  return `phase ${phase + 1} of ${phases.length}, ${phases[phase] ?? ''}`;
}

function failed(facts: WhyFacts): Finding[] {
  const { record, failure, git, namespace, live, at } = facts;
  const { failed: loop } = record;
  const current =
    loop !== null && 'desiredDigest' in git && git.desiredDigest !== null
      ? git.desiredDigest === loop.desiredDigest
      : loop !== null;
  const details = failure === null ? [] : failure.evidence.flatMap(evidenceText);
  if (loop !== null && current) {
    const retryAtMs = loop.retryAt === null ? null : Date.parse(loop.retryAt);
    const then = advice({
      namespace,
      code: loop.code,
      retryAtMs,
      nowMs: Date.parse(at),
      live: live !== null,
      deployed: false,
    });
    const times = loop.attempts > 1 ? ` (attempt ${loop.attempts})` : '';
    const next =
      retryAtMs === null ? `commit a change, or slipway deploy ${namespace}` : `slipway deploys ${namespace}`;
    return [{ ...finding('failed', `failed with ${loop.code}${times}: ${loop.message}; ${then}`, next), details }];
  }
  if (failure === null) return [];
  const text = `the last deploy, ${failure.deploy} of ${failure.at} by ${failure.by}, failed with ${failure.code}: ${failure.message}`;
  return [{ ...finding('failed', text, `slipway deploys ${namespace}`), details }];
}

function evidenceText(it: NonNullable<WhyFacts['failure']>['evidence'][number]): string[] {
  const exit = it.exitCode === null || it.reason.includes('exit code') ? '' : `, exit code ${it.exitCode}`;
  const probe = it.lastProbe === null ? [] : [`  last probe: ${it.lastProbe}`];
  return [`${it.slot}: ${it.reason}${exit}`, ...probe, ...it.logs.slice(-MAX_LOG_LINES).map((line) => `  | ${line}`)];
}

/** Git says something else, and none of the above is why. */
function notYet(facts: WhyFacts): Finding[] {
  const { git, controller, record, open, source: report, namespace } = facts;
  if (git.kind !== 'differs' && git.kind !== 'new' && git.kind !== 'gone') return [];
  if (controller === null)
    return [finding('no-controller', 'no controller runs, so nobody carries out what git says', 'slipway up')];
  const explained = open.length > 0 || held(facts).length > 0 || failed(facts).length > 0;
  if (explained) return [];
  if (report === null || report.revision !== git.revision)
    return [
      finding('not-read', `the controller has not read revision ${short(git.revision)} yet`, 'slipway events -f'),
    ];
  if (record.carriedOut === git.desiredDigest && git.desiredDigest !== null) {
    const text = 'the loop has carried out this revision before, and somebody changed what is live since';
    return [finding('changed-since', text, `slipway deploy ${namespace}`)];
  }
  return [finding('not-begun', 'the controller has read it and has not begun', 'slipway events -f')];
}

function slots({ slots: all, namespace, service }: WhyFacts): Finding[] {
  return [...new Set(all.map((it) => it.state))].flatMap((state) => {
    const say = SLOT_SAYS[state];
    if (say === null) return [];
    const mine = all.filter((it) => it.state === state);
    const { text, next } = say;
    return [finding(`slot-${state}`, `${names(mine)} ${text}`, next(namespace, service))];
  });
}

type SlotState = SlotView['state'];
const logs = (namespace: string, service: string) => `slipway logs ${namespace}/${service}`;
const SLOT_SAYS = {
  ready: null,
  draining: { text: 'gets no new requests and is about to be replaced', next: () => 'slipway events -f' },
  starting: { text: 'is not ready yet', next: logs },
  unready: { text: 'was ready, and its probe fails now: no requests go there', next: logs },
  exited: { text: 'has ended; its agent starts it again, more and more slowly', next: logs },
  paused: { text: 'is paused; its agent lets it go on', next: () => 'slipway events -f' },
  missing: { text: 'has no container; its agent makes one', next: () => 'slipway events -f' },
  unknown: {
    text: 'is unknown: its agent has not reported in the last 90 s. It may well run',
    next: () => 'slipway up starts the agent of this machine',
  },
} as const satisfies Record<
  SlotState,
  { readonly text: string; readonly next: (namespace: string, service: string) => string } | null
>;

function names(views: readonly SlotView[]): string {
  const shown = views.slice(0, 5).map((it) => `${it.slot} on ${it.machine}`);
  return views.length > shown.length
    ? `${shown.join(', ')} and ${views.length - shown.length} more:`
    : shown.join(', ');
}

function dependencies({ dependencies: all, namespace }: WhyFacts): Finding[] {
  return all
    .filter((it) => !it.met)
    .map((it) =>
      finding(
        'dependency',
        `it depends on ${it.service} being ${it.condition}, which is ${it.state}`,
        `slipway why ${namespace}/${it.service}`,
      ),
    );
}

function finding(kind: string, text: string, next: string | null): Finding {
  return { kind, text, details: [], next };
}

function short(revision: string): string {
  return revision.slice(0, 10);
}
