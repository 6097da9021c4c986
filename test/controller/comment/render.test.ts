/** What comments look like, to the letter. After a change that is meant: `npx vitest run --project unit -u FILE`, then read the difference. */
import { describe, expect, it } from 'vitest';
import { renderComment } from '../../../controller/comment/render.ts';
import { headOf } from '../../../controller/comment/verdict.ts';
import { EXAMPLES } from './examples.ts';

describe('a comment', () => {
  it.each(Object.entries(EXAMPLES))('of the kind %s says what it always said', async (name, model) => {
    await expect(`${renderComment(model)}\n`).toMatchFileSnapshot(`golden/${name}.md`);
  });

  it('has a status that says the same in a line', async () => {
    const lines = Object.entries(EXAMPLES).map(([name, model]) => {
      const { verdict, state, description } = headOf(model);
      return `${name}\n  ${verdict}\n  ${state}: ${description}\n`;
    });

    await expect(lines.join('\n')).toMatchFileSnapshot('golden/statuses.txt');
  });
});
