/** The GitHub adapter as an App: check runs with annotations, and tokens that expire. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Annotation, StatusArgs } from '../../../controller/forge/port.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { git } from '../../fakes/github/bare.ts';
import { type FakeBench, fakeBench } from './bench.ts';

const signal = () => AbortSignal.timeout(30_000);
const annotations = (count: number, message = 'unknown key'): Annotation[] =>
  Array.from({ length: count }, (_, n) => ({ path: 'namespaces/a.toml', line: n + 1, level: 'failure', message }));

describe('a GitHub App that may write checks', () => {
  let bench: FakeBench;
  beforeAll(async () => {
    bench = await fakeBench('app', { checks: true });
  });
  afterAll(() => bench.close());

  const set = (revision: string, more: Partial<StatusArgs>) => {
    const status = {
      revision,
      context: 'slipway/production',
      state: 'failure',
      description: '2 problems',
      url: null,
    } as const;
    return bench.forge.setStatus({ ...status, ...more }, signal());
  };
  const runs = (revision: string) => bench.repository.checkRunsOf(revision);

  it('writes a check run in place of a status, and follows it in place', async () => {
    expect(await bench.forge.identity(signal())).toMatchObject({
      checks: true,
      user: { login: 'slipway[bot]', bot: true },
    });
    const { revision } = await bench.newBranch('run');
    await set(revision, { state: 'pending' });
    expect(runs(revision)).toMatchObject([{ status: 'in_progress', conclusion: null }]);
    await set(revision, { state: 'success', description: 'Deployed', url: 'https://a.example' });
    expect(runs(revision)).toMatchObject([
      { name: 'slipway/production', status: 'completed', conclusion: 'success', title: 'Deployed' },
    ]);
    expect(runs(revision)[0]?.actions).toMatchObject([{ label: 'Plan again', identifier: 'plan' }]);
    const sent = await bench.requestsOf(() =>
      set(revision, { state: 'success', description: 'Deployed', url: 'https://a.example' }),
    );
    expect(sent.filter((it) => !it.startsWith('checks/list'))).toEqual([]);
    expect(bench.repository.statusHistory(revision)).toEqual([]);
  });

  it('annotates every line, however many there are', async () => {
    const { revision } = await bench.newBranch('many');
    await set(revision, { annotations: annotations(120) });
    expect(runs(revision)).toHaveLength(1);
    expect(runs(revision)[0]?.annotations).toHaveLength(120);
    expect(runs(revision)[0]).toMatchObject({ status: 'completed', conclusion: 'failure' });
    // Said again, it stays as it is; with other annotations it is another run, because they can only be added.
    await set(revision, { annotations: annotations(120) });
    await set(revision, { annotations: annotations(120), description: 'Still 120 problems' });
    expect(runs(revision).map((it) => it.annotations.length)).toEqual([120]);
    await set(revision, { annotations: annotations(3, 'another') });
    expect(runs(revision).map((it) => it.annotations.length)).toEqual([120, 3]);
  });

  it('makes one run when the answer is lost', async () => {
    const { revision } = await bench.newBranch('lost');
    bench.github.fail({ what: 'status', when: 'after', operation: 'checks/create', times: 1 });
    await set(revision, { annotations: annotations(60) });
    expect(runs(revision).map((it) => it.annotations.length)).toEqual([60]);
  });

  it('adds no annotation twice when the answer to an update is lost', async () => {
    const { revision } = await bench.newBranch('lost-update');
    const wanted = { annotations: annotations(60) };
    bench.github.fail({ what: 'status', when: 'after', operation: 'checks/update', times: 1 });
    await expect(set(revision, wanted)).rejects.toMatchObject({ code: 'FORGE_UNAVAILABLE' });
    await set(revision, wanted);
    expect(runs(revision).map((it) => it.annotations.length)).toEqual([60]);
  });

  it('begins again when it was killed between two batches of annotations', async () => {
    const { revision } = await bench.newBranch('killed');
    bench.github.fail({ what: 'status', when: 'before', operation: 'checks/update' });
    await expect(set(revision, { annotations: annotations(60) })).rejects.toMatchObject({ code: 'FORGE_UNAVAILABLE' });
    bench.github.heal();
    await set(revision, { annotations: annotations(60) });
    expect(runs(revision).map((it) => [it.status, it.annotations.length])).toEqual([
      ['in_progress', 50],
      ['completed', 60],
    ]);
  });
});

describe("a GitHub App's tokens", () => {
  let bench: FakeBench;
  beforeAll(async () => {
    bench = await fakeBench('app');
  });
  afterAll(() => bench.close());

  it('are good for git', async () => {
    const token = await bench.forge.gitToken(signal());
    const address = bench.github.gitUrl('acme/fleet', token);
    expect(await git('/tmp', ['ls-remote', address, 'refs/heads/main'])).toContain('refs/heads/main');
  });

  it('that were taken back are replaced', async () => {
    const forge = bench.another({});
    await forge.identity(signal());
    bench.github.revoke(await forge.gitToken(signal()));
    expect(await forge.getPull(99_999, signal())).toBeNull();
  });

  it('leave out what they have no right for, and it is said once', async () => {
    const app = bench.github.app('modest');
    const { id } = bench.github.install(app, 'acme', { pull_requests: 'write' });
    const credentials = {
      kind: 'app',
      appId: String(app.id),
      privateKey: () => app.privateKey,
      installationId: id,
    } as const;
    const said: string[] = [];
    const log = { ...silentLogger, warn: (_: object, message: string) => void said.push(message) };
    const forge = bench.another({ credentials, log });
    const { revision } = await bench.newBranch('modest');
    const sent = await bench.requestsOf(async () => {
      for (const state of ['pending', 'success'] as const) {
        await forge.setStatus({ revision, context: 'x', state, description: '', url: null }, signal());
      }
      const preview = {
        environment: 'p',
        branch: null,
        revision,
        state: 'success',
        url: null,
        description: '',
      } as const;
      await forge.setEnvironment(preview, signal());
    });
    expect(sent.filter((it) => /status|deployment|checks/.test(it))).toEqual([]);
    expect(said.map((it) => /to write (\w+):/.exec(it)?.[1])).toEqual(['statuses', 'deployments']);
  });

  it('of an App that is not installed: it is said where to', async () => {
    const app = bench.github.app('elsewhere');
    const credentials = {
      kind: 'app',
      appId: String(app.id),
      privateKey: () => app.privateKey,
      installationId: null,
    } as const;
    await expect(bench.another({ credentials }).getPull(1, signal())).rejects.toMatchObject({
      code: 'FORGE_REFUSED',
      message: expect.stringContaining('install the App on acme/fleet'),
    });
  });

  it('of an App with the key of another are refused, and no key is shown', async () => {
    const [one, other] = [bench.github.app('one'), bench.github.app('other')];
    const credentials = {
      kind: 'app',
      appId: String(one.id),
      privateKey: () => other.privateKey,
      installationId: 1,
    } as const;
    const error: unknown = await bench
      .another({ credentials })
      .getPull(1, signal())
      .catch((it: unknown) => it);
    expect(error).toMatchObject({
      code: 'FORGE_REFUSED',
      message: expect.stringContaining('SLIPWAY_GITHUB_APP_KEY_FILE'),
    });
  });
});
