/** SIGKILL at a sample of the recorded points (`npm run test:kill`: at all of them) of a start-first deploy. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { START_FIRST } from '../kill/cases.ts';
import { createKillLab, type KillLab } from '../kill/lab.ts';
import { expectAllKilled, runCase } from '../kill/run-case.ts';

describe('a start-first deploy', () => {
  let lab: KillLab;
  beforeAll(async () => {
    lab = await createKillLab();
  });
  afterAll(async () => await lab?.close());

  it('survives SIGKILL of executor, agent and gateway at a sample of the points of its trace', {
    timeout: 900_000,
  }, async () => {
    expectAllKilled(await runCase(lab, START_FIRST, { count: 20 }));
  });
});
