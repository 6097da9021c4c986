/** The source over a real git server with faults. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openRepository } from '../../../controller/git/repository.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { type GitFault, type GitHttpServer, serveGit } from '../../lab/git-http.ts';
import { createGitRepo, type GitRepo, runGit } from '../../lab/git-repo.ts';
import { observeSource, type SourceLab } from '../../lab/source-lab.ts';

const QUICK = { pollMs: 20, maxPollMs: 100, retryMs: 20, maxRetryMs: 100, minGapMs: 0, jitter: 0 };
let root: string;
let work: GitRepo;
let server: GitHttpServer;
let lab: SourceLab | null;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-source-'));
  work = await createGitRepo({ dir: join(root, 'work') });
  await runGit(root, ['init', '-q', '--bare', '-b', 'main', join(root, 'srv', 'fleet.git')]);
  server = await serveGit({ root: join(root, 'srv') });
  lab = null;
});

afterEach(async () => {
  await lab?.stop();
  await server.close();
  await rm(root, { recursive: true, force: true });
});

async function push(text: string): Promise<string> {
  const revision = await work.commit({ 'namespaces/a.toml': text });
  await work.git(['push', '-q', join(root, 'srv', 'fleet.git'), 'main']);
  return revision;
}

function observe(pace: object): SourceLab {
  const repository = openRepository({
    location: server.url('fleet.git'),
    branch: 'main',
    mirrorDir: join(root, 'mirrors'),
    log: silentLogger,
    limits: { listTimeoutMs: 500, fetchTimeoutMs: 2_000 },
  });
  lab = observeSource({ repository, pace });
  return lab;
}

it('every fault is unavailable with nothing else told, then the new revision', async () => {
  let revision = await push('start');
  const { until, states } = observe(QUICK);
  await until((it) => it.kind === 'ok' && it.revision === revision);
  const faults: GitFault[] = ['error', 'rubbish', 'html', 'silence', 'cut', 'truncate'];
  for (const fault of faults) {
    states.length = 0;
    server.fault = fault;
    revision = await push(`${fault} ${randomBytes(30_000).toString('hex')}`);
    await until((it) => it.kind === 'unavailable');
    expect(states.map((it) => it.kind).filter((it) => it !== 'unavailable')).toEqual([]);
    server.fault = 'none';
    await until((it) => it.kind === 'ok' && it.revision === revision);
  }
});

it('a hook makes the next look come at once instead of after the poll', async () => {
  const first = await push('one');
  const { until, source } = observe({ pollMs: 60_000, maxPollMs: 60_000 });
  await until((it) => it.kind === 'ok' && it.revision === first);
  const second = await push('two');
  source.wake();
  expect(await until((it) => it.kind === 'ok' && it.revision === second, 5_000)).toMatchObject({ kind: 'ok' });
});

it('a thousand hooks are a few listings', async () => {
  await push('one');
  const { until, source } = observe({ pollMs: 60_000, maxPollMs: 60_000, minGapMs: 100 });
  await until((it) => it.kind === 'ok');
  server.requests.length = 0;
  for (let n = 0; n < 1_000; n++) {
    source.wake();
    if (n % 100 === 0) await sleep(10);
  }
  await sleep(300);
  expect(server.requests.length).toBeGreaterThan(0);
  expect(server.requests.length).toBeLessThan(8);
});

it('an unchanged poll is one request', async () => {
  await push('one');
  const { until, states } = observe(QUICK);
  await until((it) => it.kind === 'ok');
  server.requests.length = 0;
  await sleep(300);
  expect(server.requests.length).toBeGreaterThan(2);
  expect(new Set(server.requests)).toEqual(new Set(['GET /fleet.git/info/refs?service=git-upload-pack']));
  expect(states).toHaveLength(1);
});
