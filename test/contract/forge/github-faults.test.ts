/** The GitHub adapter when answers are lost, late, or refused for a while: nothing is made twice, nobody waits for ever. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EnvironmentArgs } from '../../../controller/forge/port.ts';
import { type FakeBench, fakeBench, QUICK } from './bench.ts';

const MARKER = '<!-- slipway faults -->';
const signal = () => AbortSignal.timeout(30_000);

let bench: FakeBench;
beforeAll(async () => {
  bench = await fakeBench('token');
});
afterEach(() => {
  bench.github.heal();
  bench.github.limits.perHour = 5000;
  bench.github.limits.secondary.writes = 0;
});
afterAll(() => bench.close());

const comment = (pull: number, body = 'plan') =>
  bench.forge.ensureComment({ pull, marker: MARKER, body: `${MARKER}\n${body}`, known: null }, signal());
const bodies = (pull: number) => bench.repository.commentsOf(pull).map((it) => it.body);

const deploy = (branch: string, revision: string, more: Partial<EnvironmentArgs> = {}) =>
  bench.forge.setEnvironment(
    { environment: `preview/${branch}`, branch, revision, state: 'in_progress', url: null, description: '', ...more },
    signal(),
  );

describe('an answer that is lost', () => {
  it.each(['status', 'cut', 'hang'] as const)('after a comment was made (%s): there is one comment', async (what) => {
    const { number } = await bench.newPull(`lost-after-${what}`);
    bench.github.fail({ what, when: 'after', operation: 'issues/create-comment', times: 1 });
    const ref = await comment(number);
    expect(bench.repository.commentsOf(number).map((it) => it.id)).toEqual([ref.id]);
  });

  it.each(['status', 'cut'] as const)('before a comment was made (%s): it is sent again', async (what) => {
    const { number } = await bench.newPull(`lost-before-${what}`);
    bench.github.fail({ what, when: 'before', operation: 'issues/create-comment', times: 1 });
    await comment(number);
    expect(bodies(number)).toHaveLength(1);
  });

  it('every time: it is said, and nothing is made twice', async () => {
    const { number } = await bench.newPull('lost-always');
    bench.github.fail({ what: 'status', when: 'before', operation: 'issues/create-comment' });
    await expect(comment(number)).rejects.toMatchObject({
      code: 'FORGE_UNAVAILABLE',
      message: expect.stringMatching(
        /^GitHub at 127\.0\.0\.1:\d+ answered 502: Server Error to POST \/repos\/acme\/fleet/,
      ),
    });
    bench.github.heal();
    await comment(number);
    expect(bodies(number)).toHaveLength(1);
  });

  it('of two controllers at one moment: one comment is left, and both know it', async () => {
    const { number } = await bench.newPull('two-at-once');
    const forges = [bench.another({}), bench.another({})];
    const refs = await Promise.all(
      forges.map((it) =>
        it.ensureComment({ pull: number, marker: '<!-- two -->', body: '<!-- two -->\nhello', known: null }, signal()),
      ),
    );
    const left = bench.repository.commentsOf(number);
    expect(left).toHaveLength(1);
    expect(refs.map((it) => it.id)).toEqual([left[0]?.id, left[0]?.id]);
  });

  it('after a deployment, a status and a pull request were made: there is one of each', async () => {
    const { branch, revision } = await bench.newBranch('lost-others');
    for (const operation of [
      'repos/create-deployment',
      'repos/create-deployment-status',
      'repos/create-commit-status',
      'pulls/create',
    ]) {
      bench.github.fail({ what: 'status', when: 'after', operation, times: 1 });
    }
    await deploy(branch, revision);
    const ours = bench.repository.deployments().filter((it) => it.environment === `preview/${branch}`);
    expect(ours.map((it) => it.statuses.map((one) => one.state))).toEqual([['in_progress']]);
    const status = { revision, context: 'slipway/x', state: 'success', description: 'ok', url: null } as const;
    await bench.forge.setStatus(status, signal());
    expect(bench.repository.statusHistory(revision)).toHaveLength(1);
    await bench.forge.ensurePull({ branch, base: 'main', title: 't', body: 'b' }, signal());
    expect(bench.repository.pulls().filter((it) => it.pull.headBranch === branch)).toHaveLength(1);
  });

  it('of a read: it is asked again', async () => {
    const { number } = await bench.newPull('lost-read');
    bench.github.fail({ what: 'status', operation: 'pulls/get', times: 2 });
    expect(await bench.forge.getPull(number, signal())).toMatchObject({ number });
  });
});

describe('a GitHub that does not answer', () => {
  it('is given up after a while', async () => {
    bench.github.fail({ what: 'hang', operation: 'pulls/get' });
    const forge = bench.another({ limits: { ...QUICK, requestTimeoutMs: 100 } });
    await expect(forge.getPull(1, signal())).rejects.toMatchObject({
      code: 'FORGE_UNAVAILABLE',
      message: expect.stringContaining('did not answer within 0.1 s'),
    });
  });

  it('does not hold anybody who gives up', async () => {
    bench.github.fail({ what: 'hang', operation: 'pulls/get' });
    const startedMs = performance.now();
    await expect(bench.forge.getPull(1, AbortSignal.timeout(100))).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(performance.now() - startedMs).toBeLessThan(QUICK.requestTimeoutMs);
  });

  it('is said to be unreachable when nobody listens', async () => {
    const forge = bench.another({ apiUrl: 'http://127.0.0.1:9' });
    await expect(forge.getPull(1, signal())).rejects.toMatchObject({
      code: 'FORGE_UNAVAILABLE',
      message: expect.stringMatching(/cannot be reached \(/),
    });
  });
});

describe('a rate limit', () => {
  it.each([403, 429] as const)('that ends soon is waited for, and the write happens once (%i)', async (status) => {
    const { number } = await bench.newPull(`secondary-${status}`);
    Object.assign(bench.github.limits.secondary, { writes: 1, retryAfterSeconds: 1, status });
    const startedMs = performance.now();
    await comment(number);
    expect(performance.now() - startedMs).toBeGreaterThan(950);
    expect(bodies(number)).toHaveLength(1);
  });

  it('that lasts is said with its end, and nothing more is sent while it lasts', async () => {
    const { number } = await bench.newPull('secondary-long');
    const forge = bench.another({});
    Object.assign(bench.github.limits.secondary, { writes: 1, retryAfterSeconds: 600, status: 403 });
    const wanted = { pull: number, marker: MARKER, body: MARKER, known: null };
    const refused = { code: 'FORGE_UNAVAILABLE', message: expect.stringMatching(/limits our requests until 2\d{3}-/) };
    await expect(forge.ensureComment(wanted, signal())).rejects.toMatchObject(refused);
    const sent = await bench.requestsOf(() => expect(forge.getPull(number, signal())).rejects.toMatchObject(refused));
    expect(sent).toEqual([]);
  });

  it('of the hour is told by its reset', async () => {
    bench.github.limits.perHour = 0;
    const error: unknown = await bench
      .another({})
      .getPull(1, signal())
      .catch((it: unknown) => it);
    expect(error).toMatchObject({ code: 'FORGE_UNAVAILABLE' });
    const until = Date.parse((error as { details: { until: string } }).details.until);
    expect(until - Date.now()).toBeGreaterThan(30 * 60_000);
  });
});

describe('writes to github.com', () => {
  it('keep the pace that it asks for; answers to commands do not wait behind comments', async () => {
    const { number, revision } = await bench.newPull('pace');
    const forge = bench.another({ throttle: true });
    const command = bench.repository.comment(number, 'ann', '/slipway help');
    await forge.identity(signal());
    const startedMs = performance.now();
    const took: Record<string, number> = {};
    const timed = async (name: string, run: Promise<unknown>) => {
      await run;
      took[name] = performance.now() - startedMs;
    };
    const status = { revision, state: 'success', description: '', url: null } as const;
    const statuses = ['first', 'second', 'third'].map((context) =>
      timed(context, forge.setStatus({ ...status, context }, signal())),
    );
    await statuses[0];
    // By now the others wait for their turn.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await Promise.all([timed('reaction', forge.react(command, 'seen', signal())), ...statuses]);
    const [first = 0, second = 0, third = 0] = [took['first'], took['second'], took['third']].toSorted(
      (a = 0, b = 0) => a - b,
    );
    expect(third - first).toBeGreaterThan(1000);
    expect(second).toBeLessThan(third);
    expect(took['reaction']).toBeLessThan(third);
  });
});

describe('what did not change', () => {
  it('costs nothing to look at', async () => {
    const { number } = await bench.newPull('unchanged');
    const ref = await comment(number);
    const again = () =>
      bench.forge.ensureComment({ pull: number, marker: MARKER, body: `${MARKER}\nplan`, known: ref }, signal());
    await again();
    expect(await bench.requestsOf(again)).toEqual(['issues/get-comment 304']);
    await bench.forge.listPulls(null, signal());
    const sent = await bench.requestsOf(() => bench.forge.listPulls(null, signal()));
    expect(new Set(sent)).toEqual(new Set(['pulls/list 304']));
  });

  it('is not written', async () => {
    const { branch, revision } = await bench.newBranch('not-written');
    const twice = async (run: () => Promise<unknown>) => {
      await run();
      return (await bench.requestsOf(run)).filter((it) => /create|update/.test(it));
    };
    const status = { revision, context: 'slipway/y', state: 'pending', description: 'x', url: null } as const;
    expect(await twice(() => bench.forge.setStatus(status, signal()))).toEqual([]);
    expect(await twice(() => deploy(branch, revision, { state: 'success', url: 'https://a.example' }))).toEqual([]);
    const pull = { branch, base: 'main', title: 't', body: 'b' };
    expect(await twice(() => bench.forge.ensurePull(pull, signal()))).toEqual([]);
  });
});

describe('lists', () => {
  it('are read to their last page', async () => {
    const { number } = await bench.newPull('pages');
    for (let n = 0; n < 230; n++) bench.repository.comment(number, 'ann', `comment ${n}`);
    const found = await bench.forge.listComments('2020-01-01T00:00:00Z', signal());
    const mine = found.filter((it) => it.pull === number && it.body.startsWith('comment '));
    expect(mine).toHaveLength(230);
    const times = found.map((it) => Date.parse(it.updatedAt));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    await comment(number);
    const sent = await bench.requestsOf(() => comment(number));
    expect(sent.filter((it) => it.startsWith('issues/list-comments'))).toHaveLength(3);
    expect(bodies(number).filter((it) => it.startsWith(MARKER))).toHaveLength(1);
  });
});
