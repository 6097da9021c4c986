/** What comments look like, to the letter. After a change that is meant: `npx vitest run --project unit -u FILE`, then read the difference. */
import { describe, expect, it } from 'vitest';
import { renderComment } from '../../../controller/comment/render.ts';
import { headOf } from '../../../controller/comment/verdict.ts';
import { commentModel, planned } from '../../builders/comment.ts';
import { planWith } from './arbitrary.ts';
import { EXAMPLES, HUGE } from './examples.ts';

describe('a comment', () => {
  it.each(Object.entries(EXAMPLES))('of the kind %s says what it always said', async (name, model) => {
    await expect(`${renderComment(model)}\n`).toMatchFileSnapshot(`golden/${name}.md`);
  });

  it('of a huge plan keeps its head, and names what it leaves out', async () => {
    const text = renderComment(HUGE, { maxBytes: 30_000 });

    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(30_000);
    expect(Buffer.byteLength(text)).toBeGreaterThan(28_000);
    await expect(`${text}\n`).toMatchFileSnapshot('golden/huge-plan.md');
  });

  it('of a thousand services is written in well under 100 ms', () => {
    const model = commentModel(planned(planWith(1_000, ['registry.example/shop/web:1.4', 'GREETING', '"hello"'])));
    const timesMs = Array.from({ length: 8 }, () => {
      const begunAt = performance.now();
      renderComment(model);
      return performance.now() - begunAt;
    });

    // The best of several: the machine may be busy with something else.
    expect(Math.min(...timesMs)).toBeLessThan(100);
  });

  it('shows values of the environment only where settings say so', () => {
    const shown = renderComment(EXAMPLES['values-of-env'] ?? commentModel());
    const hidden = renderComment(EXAMPLES['update-with-history'] ?? commentModel());

    expect(shown).toContain('`env.GREETING`: `"hello 1.4"` → `"hello 1.5"`');
    expect(hidden).toContain('`env.GREETING` changed');
    expect(hidden).not.toContain('hello');
  });

  it('cannot be asked for in less than its head needs', () => {
    expect(() => renderComment(commentModel(), { maxBytes: 1_000 })).toThrow('needs 30000 bytes');
  });

  it('has a status that says the same in a line', async () => {
    const lines = Object.entries(EXAMPLES).map(([name, model]) => {
      const { verdict, state, description } = headOf(model);
      return `${name}\n  ${verdict}\n  ${state}: ${description}\n`;
    });

    await expect(lines.join('\n')).toMatchFileSnapshot('golden/statuses.txt');
  });
});
