/**
 * The desk over a real git repository, the real planner, executor and loop, a machine and a forge in memory.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { PreviewView } from '../../../controller/comment/model.ts';
import { systemClock } from '../../../controller/execute/clock.ts';
import { createFollower } from '../../../controller/follow.ts';
import { type OpenRepository, openRepository } from '../../../controller/git/repository.ts';
import { createLoop, type Loop } from '../../../controller/loop.ts';
import { createMetrics } from '../../../controller/metrics.ts';
import { createNamespaces, type Namespaces } from '../../../controller/namespaces.ts';
import type { Previews } from '../../../controller/previews/port.ts';
import { createDesk, type Desk } from '../../../controller/pulls/desk.ts';
import { createPullRecords, type PullRecords } from '../../../controller/pulls/records.ts';
import { createMergedPulls } from '../../../controller/pulls/reviewed-images.ts';
import { readRevision } from '../../../controller/source/read-revision.ts';
import { manifestsFolder } from '../../../controller/tracked.ts';
import type { Pull } from '../../../schemas/forge.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { createFakeForge, type FakeForge, type OpenArgs } from '../../fakes/forge.ts';
import { serveGit } from '../../lab/git-http.ts';
import { createGitRepo, type FileChange, type GitRepo } from '../../lab/git-repo.ts';
import { createExecutorLab, type ExecutorLab } from '../execute/lab.ts';

export interface DeskLab {
  readonly forge: FakeForge;
  readonly repo: GitRepo;
  readonly repository: OpenRepository;
  readonly desk: Desk;
  readonly records: PullRecords;
  readonly namespaces: Namespaces;
  readonly machine: ExecutorLab['machine'];
  readonly store: ExecutorLab['store'];
  readonly executing: ExecutorLab;
  readonly loop: Loop;
  /** Method and path of what was asked of git over HTTP. */
  readonly requests: string[];
  /** What `previews` says; null: there is none. */
  preview: PreviewView | null;
  /** A hex digit: what every tag means now. */
  tag: string;
  /** Why previews were ended, in order. */
  readonly ended: string[];
  /** Namespaces that the desk told the loop to look at, in order. */
  readonly poked: string[];
  /** Commits to a branch, which begins at main when it is new. */
  commit(branch: string, files: Record<string, FileChange>): Promise<string>;
  /** Commits to a new branch and opens a pull request from it. */
  open(branch: string, files: Record<string, FileChange>, args?: OpenArgs): Promise<Pull>;
  push(number: number, files: Record<string, FileChange>): Promise<void>;
  /** Merges by git, squashed or not, as the forge would. */
  merge(number: number, how?: 'merge' | 'squash'): Promise<void>;
  /** The tracked branch is read; the loop and the desk are told. */
  follow(): Promise<number[]>;
  look(number: number): Promise<void>;
  /** The body of our one comment about the namespace. */
  body(number: number, namespace: string): string;
  later(check: () => void | Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** A manifest with one service of one setting. */
export function manifest(namespace: string, version: string, rest: object = {}): string {
  const service = { name: 'web', template: { image: 'web:1', env: { VERSION: version } }, ...rest };
  return JSON.stringify({ namespace, services: [service] }, null, 2);
}

/** @param git how the repository is read: as a folder, unless told otherwise */
export async function createDeskLab(
  args: { readonly git?: 'folder' | 'http'; readonly startsAt?: string } = {},
): Promise<DeskLab> {
  const { git = 'folder' } = args;
  const dir = await mkdtemp(join(tmpdir(), 'slipway-desk-'));
  const server = git === 'http' ? await serveGit({ root: dir }) : null;
  const executing = await createExecutorLab();
  const { store } = executing;
  const stop = new AbortController();
  const image = () => ({ image: { localId: `sha256:${lab.tag.repeat(64)}`, name: 'web:1' } });
  store.messages.serve(['agent', 'm1', 'image'], async () => image(), stop.signal);
  const forge = createFakeForge(args);
  const mergedPulls = createMergedPulls({ forge, trackedBranch: 'main' });
  const repo = await createGitRepo({ dir: join(dir, 'repo') });
  const location = server === null ? repo.path : server.url('repo/.git');
  const repository = openRepository({ location, branch: 'main', mirrorDir: join(dir, 'mirrors'), log: silentLogger });
  const namespaces = createNamespaces({ bucket: store.bucket('namespaces') });
  const records = createPullRecords({ bucket: store.bucket('pulls'), now: () => new Date().toISOString() });
  const common = { store, namespaces, clock: systemClock, log: silentLogger, gatewayPorts: [80] };
  const actor = 'controller';
  const loop = createLoop(
    { ...common, executor: executing.executor, actor, metrics: createMetrics(), mergedPulls, say: () => {} },
    stop.signal,
  );
  const follow = createFollower({ ...common, loop, actor });
  const previews: Previews = {
    reconcile: async () => lab.preview,
    async end(_, why) {
      if (lab.preview !== null) lab.ended.push(why);
      lab.preview = lab.preview === null ? null : { ...lab.preview, state: 'removed' };
      return lab.preview;
    },
    sweep: async () => {},
    view: async () => lab.preview,
    onChange() {},
  };
  const desk = createDesk({
    ...common,
    forge,
    repository,
    workshop: repository,
    records,
    deploys: executing.deploys,
    previews,
    loop: {
      poke(namespace) {
        lab.poked.push(namespace);
        loop.poke(namespace);
      },
    },
    installation: 'lab',
  });
  const headRef = (number: number) => `refs/pull/${number}/head`;

  const lab: DeskLab = {
    forge,
    repo,
    repository,
    desk,
    records,
    namespaces,
    machine: executing.machine,
    store,
    executing,
    loop,
    requests: server?.requests ?? [],
    preview: null,
    tag: 'c',
    ended: [],
    poked: [],
    async commit(branch, files) {
      const there = await repo.git(['branch', '--list', branch]);
      if (branch !== 'main' || there !== '') {
        await repo.git(['checkout', '-q', ...(there === '' ? ['-b', branch, 'main'] : [branch])]);
      }
      const revision = await repo.commit(files);
      await repo.git(['checkout', '-q', 'main']);
      return revision;
    },
    async open(branch, files, args = {}) {
      const head = await lab.commit(branch, files);
      const pull = forge.open({ branch, head, ...args });
      await repo.git(['update-ref', headRef(pull.number), head]);
      return pull;
    },
    async push(number, files) {
      const head = await lab.commit(forge.pulls.get(number)?.head.branch ?? '', files);
      await repo.git(['update-ref', headRef(number), head]);
      forge.push(number, head);
    },
    async merge(number, how = 'squash') {
      await repo.git(['merge', '-q', ...(how === 'squash' ? ['--squash'] : ['--no-ff', '--no-edit']), headRef(number)]);
      const revision = await repo.commit({}, `Merge ${number}`);
      forge.merge(number, revision);
    },
    async follow() {
      const { signal } = stop;
      const revision = await repository.tip(signal);
      const state = await readRevision({ repository, revision, manifestsFolder, signal });
      await follow(state);
      return await desk.onSource(state);
    },
    look: (number) => desk.lookAt(number, stop.signal),
    body(number, namespace) {
      const about = forge.ours(number).filter((it) => it.body.includes(`namespace=${namespace} `));
      if (about.length !== 1) throw new Error(`${about.length} comments about ${namespace}`);
      return about[0]?.body ?? '';
    },
    later: async (check) => {
      await vi.waitFor(check, { timeout: 5_000, interval: 10 });
    },
    async close() {
      stop.abort();
      await loop.stopped;
      await executing.close();
      await server?.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return lab;
}
