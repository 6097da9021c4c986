/** Titles of phases, in the user's words. */
import type { PlanStep } from '../../schemas/plan.ts';
import { shorten } from './candidates.ts';

const NAMES_IN_TITLE = 3;

/** What a phase does: `run migrate; start web, api; swap db`. */
export function phaseTitle(steps: readonly PlanStep[]): string {
  const parts = [
    ['run', steps.flatMap((it) => (it.verb === 'job' ? [it.service] : []))],
    ['start', steps.flatMap((it) => (it.verb === 'start' ? [it.slot.service] : []))],
    ['swap', steps.flatMap((it) => (it.verb === 'swap' ? [...it.starts, ...it.stops].map((row) => row.service) : []))],
  ] as const;
  return parts
    .filter(([, names]) => names.length > 0)
    .map(([verb, names]) => `${verb} ${shorten([...new Set(names)].toSorted(), NAMES_IN_TITLE)}`)
    .join('; ');
}
