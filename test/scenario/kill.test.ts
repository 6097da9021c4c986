/** SIGKILL at every recorded point of one start-first and one stop-first deploy; `npm run test:kill` does all cases. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { START_FIRST, STOP_FIRST } from '../kill/cases.ts';
import { createKillLab, type KillLab } from '../kill/lab.ts';
import { expectAllKilled, runCase } from '../kill/run-case.ts';

const LIMIT_MS = 900_000;

describe.each([START_FIRST, STOP_FIRST])('$name ($class)', (killCase) => {
  let lab: KillLab;
  beforeAll(async () => {
    lab = await createKillLab();
  });
  afterAll(async () => await lab?.close());

  it('survives SIGKILL of executor, agent and gateway at every point of its trace', { timeout: LIMIT_MS }, async () => {
    expectAllKilled(await runCase(lab, killCase));
  });
});
