/** Tests of some kinds of deploys: killed at every point of their traces, and paused at the last gate. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KillCase } from './cases.ts';
import { createKillLab, type KillLab } from './lab.ts';
import { expectAllKilled, runCase } from './run-case.ts';

/** The executor's last trace point before its append. */
export const LAST_GATE = 'gate:last';

/** Defines them, an installation of its own for each case. */
export function testEveryPoint(cases: readonly KillCase[]): void {
  describe.each(cases)('$name ($class)', (killCase) => {
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
      expect(await lab.pause({ target: two, at: LAST_GATE, next: one, renewed: true })).toMatch(
        /LEASE_LOST|DEPLOY_LOST|STEP_REFUSED/,
      );
    });
  });
}
