/** An executor that stood still finds that somebody else went on without it: nothing it does then has an effect. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { START_FIRST } from '../kill/cases.ts';
import { LAST_GATE } from '../kill/every-point.ts';
import { createKillLab, type KillLab } from '../kill/lab.ts';

const [ONE, TWO] = START_FIRST.targets;

describe('a paused executor', () => {
  let lab: KillLab;
  beforeAll(async () => {
    lab = await createKillLab();
    await lab.deploy(ONE);
  });
  afterAll(async () => await lab?.close());

  it('loses between its last gate and its append to one that deploys something else', async () => {
    const late = await lab.pause({ target: TWO, at: LAST_GATE, next: ONE, renewed: true });
    expect(late).toMatch(/LEASE_LOST|DEPLOY_LOST/);
  });

  it('loses there to one that only clears up after it', async () => {
    const late = await lab.pause({ target: TWO, at: LAST_GATE, next: ONE, renewed: false });
    expect(late).toMatch(/LEASE_LOST|DEPLOY_LOST/);
  });
});
