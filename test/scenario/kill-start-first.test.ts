/** SIGKILL at every recorded point of a start-first deploy, and an executor that is paused at its last gate. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { START_FIRST } from '../kill/cases.ts';
import { createKillLab, type KillLab } from '../kill/lab.ts';
import { expectAllKilled, runCase } from '../kill/run-case.ts';

describe('a start-first deploy', () => {
  let lab: KillLab;
  beforeAll(async () => {
    lab = await createKillLab();
  });
  afterAll(async () => await lab?.close());

  it('survives SIGKILL of executor, agent and gateway at every point of its trace', { timeout: 900_000 }, async () => {
    expectAllKilled(await runCase(lab, START_FIRST));
  });

  it('loses to its successor when it was paused between its last gate and its append', async () => {
    const [one, two] = START_FIRST.targets;
    await lab.deploy(one);
    const late = await lab.pauseAtGate(two, one);
    expect(late).toMatch(/LEASE_LOST|DEPLOY_LOST|STEP_REFUSED/);
  });
});
