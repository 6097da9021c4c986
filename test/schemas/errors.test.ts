import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../../schemas/errors.ts';

describe('the table of errors', () => {
  it('is the same in ARCHITECTURE.md and in the code', async () => {
    const text = await readFile('ARCHITECTURE.md', 'utf8');
    const table = text.slice(text.indexOf('<!-- errors:begin -->'), text.indexOf('<!-- errors:end -->'));
    const documented = [...table.matchAll(/^\| `([A-Z_]+)` \| (\S+) \| (.+) \|$/gm)].map((it) => [it[1], it[2], it[3]]);
    expect(documented).toEqual(Object.entries(ERRORS).map(([code, { retry, means }]) => [code, retry, means]));
  });
});
