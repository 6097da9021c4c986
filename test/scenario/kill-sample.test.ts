/** A seeded sample of kills for every other kind of deploy; `npm run test:kill` does all of them. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { ARRIVALS, STRATEGIES } from '../kill/cases.ts';
import { createKillLab, type KillLab } from '../kill/lab.ts';
import { expectAllKilled, runCase } from '../kill/run-case.ts';

describe.each([...STRATEGIES, ...ARRIVALS])('$name ($class)', (killCase) => {
  let lab: KillLab;
  beforeAll(async () => {
    lab = await createKillLab();
  });
  afterAll(async () => await lab?.close());

  it('survives a sample of kills', { timeout: 300_000 }, async () => {
    expectAllKilled(await runCase(lab, killCase, { count: 2 }));
  });
});
