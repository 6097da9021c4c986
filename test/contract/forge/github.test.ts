/** The GitHub adapter against the GitHub of the tests, which holds every request to GitHub's own description. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type Bench, fakeBench, type Kind, liveBench } from './bench.ts';
import { CASES } from './cases.ts';

const KINDS: Readonly<Record<Kind, string>> = {
  token: 'with a classic token',
  app: 'as a GitHub App on an Enterprise server',
};

for (const [kind, name] of Object.entries(KINDS) as [Kind, string][]) {
  describe(name, () => suite(() => fakeBench(kind)));
}

const live = process.env['FORGE_LIVE'] === '1';
if (!live)
  process.stderr.write('The suite against a real repository is skipped: it wants FORGE_LIVE=1 (bench.ts says how)\n');
describe.skipIf(!live)('on a real repository', () => suite(async () => liveBench(process.env)));

function suite(open: () => Promise<Bench>): void {
  let bench: Bench;
  beforeAll(async () => {
    bench = await open();
  });
  // The GitHub of the tests fails here when anything was not as GitHub describes it.
  afterAll(() => bench.close());

  // oxlint-disable-next-line vitest/expect-expect -- the cases expect
  for (const [name, run] of Object.entries(CASES)) it(name, () => run(bench));
}
