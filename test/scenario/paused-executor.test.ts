/** An executor that stood still between its last gate and its append finds that somebody else went on without it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { START_FIRST } from '../kill/cases.ts';
import { createKillLab, type KillLab } from '../kill/lab.ts';

describe('a paused executor', () => {
  let lab: KillLab;
  beforeAll(async () => {
    lab = await createKillLab();
  });
  afterAll(async () => await lab?.close());

  it('loses to its successor when it was paused between its last gate and its append', async () => {
    const [one, two] = START_FIRST.targets;
    await lab.deploy(one);
    const late = await lab.pauseAtGate(two, one);
    expect(late).toMatch(/LEASE_LOST|DEPLOY_LOST|STEP_REFUSED/);
  });
});
