/** A plan as Markdown, for `slipway plan --markdown`: the sections of a comment, in no more than a comment may hold. */
import { hasChanges, type Plan } from '../../schemas/plan.ts';
import { bytesOf, shortProse } from './bounds.ts';
import { heading, summary } from './describe.ts';
import { prose } from './foreign.ts';
import { type MarkdownOptions, planSections } from './plan-sections.ts';
import { fit, listing } from './section.ts';

/** What a comment on a pull request may be long. */
const MOST_BYTES = 65_000;

/** The plan as Markdown, without a newline at the end. */
export function renderMarkdown(plan: Plan, options: MarkdownOptions = {}): string {
  const head = [`### ${prose(heading(plan))}`, prose(summary(plan))];
  if (!hasChanges(plan)) head.push('No changes: what is live already is what is desired.');
  const text = head.join('\n\n');
  const sections = [
    listing('Needs consent', sentences(plan.consents), { folded: false, rank: 0 }),
    listing('Needs approval', sentences(plan.approvals), { folded: false, rank: 0 }),
    listing('Cannot be undone', sentences(plan.destructive), { folded: false, rank: 10 }),
    ...planSections(plan, options),
  ];
  return [text, ...fit(sections, MOST_BYTES - bytesOf(text))].join('\n\n');
}

function sentences(texts: readonly string[]): string[] {
  return texts.map((it) => shortProse(it, 600));
}
