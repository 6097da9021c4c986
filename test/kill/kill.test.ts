/** SIGKILL at every recorded point of every kind of deploy, and an executor paused at its last gate. `npm run test:kill`. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OTHERS, START_FIRST, STOP_FIRST } from './cases.ts';
import { createKillLab, type KillLab } from './lab.ts';
import { expectAllKilled, runCase } from './run-case.ts';

describe.each([START_FIRST, STOP_FIRST, ...OTHERS])('$name ($class)', (killCase) => {
  let lab: KillLab;
  beforeAll(async () => {
    lab = await createKillLab();
  });
  afterAll(async () => await lab?.close());

  it('survives SIGKILL of executor, agent and gateway at every point of its trace', async () => {
    const report = await runCase(lab, killCase);
    process.stdout.write(`${killCase.name}: ${report.kills} kills at ${report.points} points\n`);
    expectAllKilled(report);
  });

  it('loses to its successor when it was paused between its last gate and its append', async () => {
    const [one, two] = killCase.targets;
    await lab.deploy(one);
    const late = await lab.pauseAtGate(two, one);
    expect(late).toMatch(/LEASE_LOST|DEPLOY_LOST|STEP_REFUSED/);
  });
});
