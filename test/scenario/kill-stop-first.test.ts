/** SIGKILL at a sample of the recorded points (`npm run test:kill`: at all of them) of a stop-first deploy: within its printed outage, and never two writers. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { STOP_FIRST } from '../kill/cases.ts';
import { createKillLab, type KillLab } from '../kill/lab.ts';
import { expectAllKilled, runCase } from '../kill/run-case.ts';

describe('a stop-first deploy', () => {
  let lab: KillLab;
  beforeAll(async () => {
    lab = await createKillLab();
  });
  afterAll(async () => await lab?.close());

  it('survives SIGKILL of executor, agent and gateway at a sample of the points of its trace', {
    timeout: 900_000,
  }, async () => {
    expectAllKilled(await runCase(lab, STOP_FIRST, { count: 20 }));
  });
});
