/** A log in memory whose history is kept in a bare repository behind HTTP; what stock git says of it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type OpenRepository, openRepository } from '../../controller/git/repository.ts';
import { createLedger } from '../../controller/record/ledger.ts';
import { allowedSigners } from '../../controller/record/signers.ts';
import { ledgerRef } from '../../schemas/ledger.ts';
import { silentLogger } from '../../schemas/logger.ts';
import type { LogEntry } from '../../schemas/release.ts';
import type { ServiceSpec } from '../../schemas/service.ts';
import { createMemoryStore } from '../../store/memory.ts';
import type { Store } from '../../store/port.ts';
import { generateKey, type KeyPair } from '../../trust/keys.ts';
import { type GitHttpServer, serveGit } from './git-http.ts';
import { createGitRepo, type GitRepo, runGit } from './git-repo.ts';

export const LEDGER_INSTALLATION = '0123abcd';

export interface LedgerLab {
  readonly store: Store;
  readonly server: GitHttpServer;
  readonly bare: string;
  readonly work: GitRepo;
  readonly key: KeyPair;
  readonly said: string[];
  /** A connection of its own, with an own mirror. */
  repository(mirror?: string): OpenRepository;
  append(entry: LogEntry, specs?: readonly ServiceSpec[]): Promise<void>;
  /** Runs a ledger until the test is over or `stop` is called. */
  start(args?: { store?: Store; mirror?: string }): { stop(): Promise<void> };
  /** What the ref is; null: there is none. */
  ref(namespace: string): Promise<string | null>;
  /** The ref's newest commit holds entry n. */
  pushed(namespace: string, n: number): Promise<string>;
  /** So many lines were said. */
  saidAtLeast(count: number): Promise<void>;
  git(args: readonly string[]): Promise<string>;
  /** git in a plain clone that has fetched the ledger. */
  clone(): Promise<(args: readonly string[]) => Promise<string>>;
  close(): Promise<void>;
}

const WITHIN_MS = 40_000;
const LONGEST_SLEEP_MS = 20;

export async function createLedgerLab(): Promise<LedgerLab> {
  const root = await mkdtemp(join(tmpdir(), 'slipway-ledger-'));
  const bare = join(root, 'srv', 'fleet.git');
  const work = await createGitRepo({ dir: join(root, 'work') });
  await runGit(root, ['init', '-q', '--bare', '-b', 'main', bare]);
  await runGit(bare, ['config', 'http.receivepack', 'true']);
  await work.commit({ 'slipway.toml': '' }, 'First');
  await work.git(['push', '-q', bare, 'HEAD:refs/heads/main']);
  const server = await serveGit({ root: join(root, 'srv') });
  // Waits are waits of a person's patience, not of the test's.
  const clock = {
    now: () => Date.now(),
    sleep: async (ms: number, signal?: AbortSignal) =>
      await sleep(Math.min(ms, LONGEST_SLEEP_MS), undefined, signal === undefined ? {} : { signal }),
  };
  const store = createMemoryStore({ clock, log: silentLogger, installation: LEDGER_INSTALLATION });
  const key = generateKey();
  const trusted = new Map([[key.keyId, key.publicKey]]);
  const said: string[] = [];
  const running: { stop(): Promise<void> }[] = [];
  const git = (args: readonly string[]) => runGit(bare, args);

  const repository = (mirror = 'mirrors') =>
    openRepository({
      location: server.url('fleet.git'),
      branch: 'main',
      mirrorDir: join(root, mirror),
      log: silentLogger,
      limits: { listTimeoutMs: 5_000, fetchTimeoutMs: 10_000 },
    });
  const ref = (namespace: string) => git(['rev-parse', '--verify', '-q', ledgerRef(namespace)]).catch(() => null);

  return {
    store,
    server,
    bare,
    work,
    key,
    said,
    repository,
    git,
    ref,
    async append(entry, specs = []) {
      await store.specs.put(specs);
      const { outcome } = await store.log.append(entry);
      if (outcome === 'lost') throw new Error(`${entry.namespace}@${entry.n} is there already`);
    },
    start({ store: from = store, mirror = 'mirrors' } = {}) {
      const end = new AbortController();
      const opened = repository(mirror);
      const ledger = createLedger({
        ...from,
        heads: from.bucket('heads'),
        repository: opened,
        workshop: opened,
        installation: LEDGER_INSTALLATION,
        signer: key,
        trusted,
        clock,
        logger: silentLogger,
        actor: 'controller',
        say: (text) => said.push(text),
      });
      const ended = ledger.run(end.signal);
      const it = {
        async stop() {
          end.abort();
          await ended;
        },
      };
      running.push(it);
      return it;
    },
    async pushed(namespace, n) {
      const endAt = Date.now() + WITHIN_MS;
      for (;;) {
        const revision = await ref(namespace);
        const subject = revision === null ? '' : await git(['log', '-1', '--format=%s', revision]);
        if (revision !== null && subject.startsWith(`${namespace} #${n}:`)) return revision;
        if (Date.now() > endAt) throw new Error(`${namespace}@${n} was not pushed: "${subject}", ${said.join('; ')}`);
        await sleep(10);
      }
    },
    async saidAtLeast(count) {
      const endAt = Date.now() + WITHIN_MS;
      while (said.length < count) {
        if (Date.now() > endAt) throw new Error(`said only: ${said.join('; ')}`);
        await sleep(10);
      }
    },
    async clone() {
      const dir = await mkdtemp(join(root, 'clone-'));
      await runGit(root, ['clone', '-q', server.url('fleet.git'), dir]);
      const signers = join(dir, '.git/signers');
      await writeFile(signers, allowedSigners(LEDGER_INSTALLATION, trusted));
      const inside = (args: readonly string[]) => runGit(dir, ['-c', `gpg.ssh.allowedSignersFile=${signers}`, ...args]);
      await inside(['fetch', '-q', 'origin', '+refs/slipway/*:refs/slipway/*']);
      return inside;
    },
    async close() {
      for (const it of running) await it.stop();
      await store.close();
      await server.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
