/**
 * The GitHub adapter against the GitHub of the tests, which holds every request to GitHub's own description; with
 * FORGE_LIVE=1 against a real repository too.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type Bench, fakeBench, liveBench } from './bench.ts';
import { CASES } from './cases.ts';

const BENCHES: { readonly name: string; readonly open: () => Promise<Bench> }[] = [
  { name: 'with a classic token', open: () => fakeBench('token') },
  { name: 'as a GitHub App on an Enterprise server', open: () => fakeBench('app') },
];
if (process.env['FORGE_LIVE'] === '1') {
  BENCHES.push({ name: 'on a real repository', open: async () => liveBench(process.env) });
} else {
  process.stderr.write('Not run against a real repository: that wants FORGE_LIVE=1 (bench.ts says how)\n');
}

describe.each(BENCHES)('the GitHub adapter $name', ({ open }) => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await open();
  });
  // The GitHub of the tests fails here when anything was not as GitHub describes it.
  afterAll(() => bench.close());

  it.each(Object.entries(CASES))('%s', async (_, expectToHold) => {
    await expectToHold(bench);
  });
});
