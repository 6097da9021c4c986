/** Agreements given on a forge, as the executor takes them: once more looked at, and refused in doubt. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Agreements, createAgreements } from '../../../controller/consent/agreements.ts';
import { SlipwayError } from '../../../schemas/errors.ts';
import type { Plan } from '../../../schemas/plan.ts';
import { serviceSpec } from '../../builders/service.ts';
import { createExecutorLab, type ExecutorLab } from './lab.ts';

const never = new AbortController().signal;
const AT = '2026-01-01T00:00:00.000Z';
let lab: ExecutorLab;
let agreements: Agreements;

const web = (version: string) => serviceSpec({ name: 'web', template: { env: { V: version } } });
const deploy = async (plan: Plan, executor = lab.executor) =>
  await executor.execute({ plan, actor: 'test', signal: never });
/** With the operator key. */
const agree = async ({ id, namespace, basis }: Plan) => {
  const given = { kind: 'approval' as const, plan: id, namespace, release: basis.release };
  return await agreements.give({ ...given, by: 'cli/ops', why: '', at: AT, used: null });
};

beforeEach(async () => {
  lab = await createExecutorLab();
  agreements = createAgreements({ bucket: lab.store.bucket('consents') });
  await deploy(await lab.plan([web('1')]));
});
afterEach(async () => await lab.close());

describe('an approval that was given on a forge', () => {
  const onForge = { login: 'bob', userId: 12, pull: 7, comment: 70 };
  const byBob = async (plan: Plan, of: Partial<typeof onForge> = {}) =>
    await agreements.give({
      kind: 'approval',
      plan: plan.id,
      namespace: plan.namespace,
      release: plan.basis.release,
      by: `github/${of.login ?? 'bob'}`,
      why: '',
      at: AT,
      used: null,
      forge: { ...onForge, ...of },
    });

  const executorThat = (says: (login: string) => string | null) =>
    lab.executorWith({
      confirmAgreement: async ({ forge }) => {
        return says(forge?.login ?? '');
      },
    });
  const change = async () => await lab.plan([web('2')], { approvalRequired: true });

  it('is taken once the forge says that it is still good', async () => {
    const plan = await change();
    await byBob(plan);
    const done = await deploy(
      plan,
      executorThat(() => null),
    );
    expect(done).toMatchObject({ state: 'done', agreements: [{ kind: 'approval', by: 'github/bob' }] });
  });

  it('that is no longer good stays unused, and the plan waits and says why', async () => {
    const plan = await change();
    await byBob(plan);
    const before = lab.machine.acted.length;
    await expect(
      deploy(
        plan,
        executorThat(() => 'bob may not approve.'),
      ),
    ).rejects.toMatchObject({
      code: 'APPROVAL_NEEDED',
      message: expect.stringContaining('bob may not approve.'),
    });
    expect(lab.machine.acted.length).toBe(before);
    const [pending] = await agreements.pending('production');
    expect(pending?.reasons).toContain('bob may not approve.');
    expect((await agreements.given({ namespace: 'production', plan: plan.id }, 'approval'))?.used).toBe(null);
    expect(
      (
        await deploy(
          plan,
          executorThat(() => null),
        )
      ).state,
    ).toBe('done');
  });

  it('is not taken where nobody can ask the forge', async () => {
    const plan = await change();
    await byBob(plan);
    await expect(deploy(plan)).rejects.toMatchObject({
      code: 'APPROVAL_NEEDED',
      message: expect.stringContaining('only the controller can look up'),
    });
  });

  it('is not taken, and not used up, while the forge does not answer', async () => {
    const plan = await change();
    await byBob(plan);
    const silent = lab.executorWith({
      confirmAgreement: () => Promise.reject(new SlipwayError('FORGE_UNAVAILABLE', 'no answer')),
    });
    await expect(deploy(plan, silent)).rejects.toMatchObject({ code: 'FORGE_UNAVAILABLE' });
    expect((await agreements.given({ namespace: 'production', plan: plan.id }, 'approval'))?.used).toBe(null);
  });

  it('of one who lost the right does not stand in the way of another’s, or of an operator’s', async () => {
    const plan = await change();
    await byBob(plan);
    await byBob(plan, { login: 'carol', userId: 13, comment: 71 });
    const done = await deploy(
      plan,
      executorThat((login) => (login === 'bob' ? 'bob may not approve.' : null)),
    );
    expect(done.agreements).toMatchObject([{ by: 'github/carol' }]);
    const next = await lab.plan([web('3')], { approvalRequired: true });
    await byBob(next);
    await agree(next);
    expect((await deploy(next)).agreements).toMatchObject([{ by: 'cli/ops' }]);
  });

  it('is not left over when another one to the same plan was taken', async () => {
    const plan = await change();
    await byBob(plan);
    await agree(plan);
    await deploy(plan);
    expect(await agreements.unused('production')).toEqual([]);
  });
});
