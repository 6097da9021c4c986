/**
 * A pull request from a stock git client's push to its end: comment, status, preview that answers, approval, merge,
 * deploy, close; then the story in a plain clone. GitHub's published contract, git over HTTP, nats-server, Docker and
 * HAProxy.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Github, startGithub } from '../fakes/github/github.ts';
import type { Repository } from '../fakes/github/repository.ts';
import { webService } from '../kill/lab.ts';
import { runGit } from '../lab/git-repo.ts';
import { freePort, type Host, startHost } from '../lab/host.ts';
import { ensureWebImage } from '../lab/images.ts';
import { readContainers, readInventory } from '../lab/inventory.ts';
import { ask } from '../lab/probe.ts';

const HOOK_SECRET = 'what GitHub and we know';
const SETTINGS = `
[approvals.production]
required = true
approvers = ["bob"]

[previews]
source = "staging"
host = "{service}-pr-{number}.preview.test"
`;

let github: Github;
let fleet: Repository;
let host: Host;
let up: ReturnType<Host['start']>;
let folder: string;
let clone: string;

function manifest(namespace: string, version: string): string {
  const routes = [{ http: { service_port: 'http', hostnames: [`${namespace}.test`], path_prefix: '/' } }];
  const services = [webService('web', version, 'pull', { routes }), webService('api', '1', 'pull', {}, false)];
  return JSON.stringify({ namespace, services }, null, 2);
}

const git = (...args: string[]) => runGit(clone, args);
const answered = async (hostname: string) => (await ask(host.httpPort, hostname)).body;

async function until<T>(what: string, look: () => Promise<T> | T, is: (it: T) => boolean, ms = 30_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const it = await look();
    if (is(it)) return it;
    if (Date.now() > end) throw new Error(`${what} did not come; it is ${JSON.stringify(it, null, 2)}`);
    await sleep(50);
  }
}

/** Our comment about a namespace. */
function comment(number: number, namespace: string) {
  return fleet.commentsOf(number).find((it) => it.body.includes(` namespace=${namespace} `));
}
const deploymentsOf = (number: number) => fleet.deployments().filter((it) => it.environment === `preview/pr-${number}`);
const body = (number: number, namespace: string) => comment(number, namespace)?.body ?? '';

/** Commits on a branch of the clone, as a developer does, and pushes it. */
async function push(branch: string, files: Record<string, string>): Promise<string> {
  await git('fetch', '-q', 'origin');
  await git('checkout', '-q', branch).catch(() => git('checkout', '-q', '-b', branch, 'origin/main'));
  for (const [name, content] of Object.entries(files)) await writeFile(join(clone, name), content);
  await git('add', '-A');
  await git('commit', '-q', '-m', `Change on ${branch}`);
  await git('push', '-q', 'origin', branch);
  return await git('rev-parse', 'HEAD');
}

beforeAll(async () => {
  await ensureWebImage();
  folder = await mkdtemp(join(tmpdir(), 'slipway-pulls-'));
  clone = join(folder, 'clone');
  github = await startGithub();
  for (const login of ['alice', 'bob', 'slipway-bot']) github.user(login);
  fleet = await github.repository('acme/fleet', {
    collaborators: { alice: 'write', bob: 'admin', 'slipway-bot': 'write' },
    files: {
      'slipway.toml': SETTINGS,
      'namespaces/staging.json': manifest('staging', '1'),
      'namespaces/production.json': manifest('production', '1'),
    },
  });
  await runGit(folder, ['clone', '-q', github.gitUrl('acme/fleet', github.classicToken('alice')), clone]);
  const hookPort = await freePort();
  fleet.hook({ url: `http://127.0.0.1:${hookPort}/hooks/github`, secret: HOOK_SECRET });
  host = await startHost();
  up = host.start(['up', '--repo', github.gitUrl('acme/fleet'), '--hook-port', String(hookPort)], {
    SLIPWAY_FORGE: 'github',
    SLIPWAY_FORGE_API: github.apiUrl,
    SLIPWAY_FORGE_TOKEN: github.classicToken('slipway-bot'),
    SLIPWAY_HOOK_SECRETS: `an older one,${HOOK_SECRET}`,
  });
  await until(
    'staging',
    () => answered('staging.test'),
    (it) => it === 'web 1',
  );
  // The first release of production waits for its approval too.
  const asked = await until(
    'the question for an approval',
    async () => (await host.slipway(['status', '--json'])).stdout,
    (it) => it.includes('APPROVAL_NEEDED'),
  );
  const plan = /slipway approve ([0-9a-f]{12})/.exec(asked)?.[1] ?? '';
  const approved = await host.slipway(['approve', plan]);
  if (approved.code !== 0) throw new Error(approved.stderr);
  await until(
    'production',
    () => answered('production.test'),
    (it) => it === 'web 1',
  );
}, 90_000);

afterAll(async () => {
  up?.child.kill('SIGTERM');
  await up?.ended;
  await host?.destroy();
  await rm(folder, { recursive: true, force: true });
  await github?.close();
});

it('gets comment, status and a preview that answers with the changed version; a push updates all three', async () => {
  const head = await push('faster', {
    'namespaces/staging.json': manifest('staging', '2'),
    'namespaces/production.json': manifest('production', '2'),
  });
  const number = await fleet.openPull({ head: 'faster', title: 'Faster', by: 'alice' });
  await until(
    'the comment',
    () => body(number, 'production'),
    (it) => it.includes('/slipway approve'),
  );
  await until(
    'the preview',
    () => answered('web-pr-1.preview.test'),
    (it) => it === 'web 2',
  );
  await until(
    'the words about it',
    () => body(number, 'staging'),
    (it) => it.includes('web-pr-1.preview.test'),
  );
  expect(await answered('staging.test')).toBe('web 1');
  await until(
    'the status',
    () => fleet.statusesOf(head),
    (it) => it.some((one) => one.context === 'slipway/staging' && one.state === 'success'),
  );
  expect(
    fleet
      .statusesOf(head)
      .map((it) => it.context)
      .toSorted(),
  ).toEqual(['slipway/production', 'slipway/staging']);
  const deployment = await until(
    'the deployment',
    () => deploymentsOf(1),
    (it) => it.some((one) => one.state === 'success'),
  );
  expect(deployment.at(-1)?.url).toContain('web-pr-1.preview.test');

  const before = comment(number, 'staging')?.id;
  const containers = (await readContainers(host)).filter((it) => it.namespace === 'pr-1' && it.slot === 'api.0');
  await push('faster', {
    'namespaces/staging.json': manifest('staging', '3'),
    'namespaces/production.json': manifest('production', '3'),
  });
  await until(
    'the changed preview',
    () => answered('web-pr-1.preview.test'),
    (it) => it === 'web 3',
  );
  const next = await git('rev-parse', 'HEAD');
  await until(
    'the new status',
    () => fleet.statusesOf(next),
    (it) => it.length === 2,
  );
  await until(
    'the edited comment',
    () => body(number, 'staging'),
    (it) => it.includes(next.slice(0, 8)),
  );
  expect(comment(number, 'staging')?.id).toBe(before);
  expect(fleet.commentsOf(number)).toHaveLength(2);
  expect((await readContainers(host)).filter((it) => it.namespace === 'pr-1' && it.slot === 'api.0')).toEqual(
    containers,
  );
});

it('approved and merged, exactly the reviewed plan runs in production, and the comment follows it', async () => {
  const number = 1;
  const plan = /slipway approve ([0-9a-f]{12})/.exec(body(number, 'production'))?.[1] ?? '';
  const own = fleet.comment(number, 'alice', `/slipway approve ${plan}`);
  await until(
    'the refusal',
    () => body(number, 'production'),
    (it) => it.includes('alice'),
  );
  expect(fleet.reactionsOf(own).map((it) => it.content)).toContain('confused');
  fleet.comment(number, 'bob', `/slipway approve ${plan}`);
  await until(
    'the approval',
    () => body(number, 'production'),
    (it) => it.includes('is approved'),
  );
  await fleet.merge(number, 'squash', 'alice');
  await until(
    'production',
    () => answered('production.test'),
    (it) => it === 'web 3',
  );
  await until(
    'the end in the comment',
    () => body(number, 'production'),
    (it) => /live as release|is live/.test(it),
  );
  const deploys = JSON.parse((await host.slipway(['deploys', 'production', '--json'])).stdout) as {
    data: readonly { planId: string; agreements?: readonly { by: string }[] }[];
  };
  expect(deploys.data.some((it) => it.planId.startsWith(plan) && it.agreements?.[0]?.by === 'github/bob')).toBe(true);
});

it('its preview is gone with the merge, proven and said; a closed one leaves nothing behind either', async () => {
  await until(
    'the proof',
    () => body(1, 'staging'),
    (it) => it.includes('nothing left'),
  );
  await until(
    'production in peace',
    () => readInventory(host),
    (it) => it.containers.length === 4,
  );
  const before = await readInventory(host);
  await push('other', { 'namespaces/staging.json': manifest('staging', '4') });
  const number = await fleet.openPull({ head: 'other', title: 'Other', by: 'alice' });
  await until(
    'the preview',
    () => answered(`web-pr-${number}.preview.test`),
    (it) => it === 'web 4',
  );
  await fleet.close(number, 'alice');
  await until(
    'the proof',
    () => body(number, 'staging'),
    (it) => it.includes('nothing left'),
  );
  expect(await readInventory(host)).toEqual(before);
  await until(
    'the end of the deployment',
    () => deploymentsOf(number),
    (it) => it.every((one) => one.state === 'inactive'),
  );
});

it('a plain clone tells the story', async () => {
  await git('fetch', '-q', 'origin', 'refs/slipway/*:refs/slipway/*', '+refs/heads/*:refs/remotes/origin/*');
  const graph = await git('log', '--graph', '--format=%s%n%(trailers)', 'refs/slipway/namespaces/production');
  expect(graph).toContain('Slipway-Release: production@2');
  expect(graph).toContain('Slipway-Plan:');
  const preview = await git(
    'log',
    '--format=%s %(trailers:key=Slipway-Forked-From,valueonly)',
    'refs/slipway/namespaces/pr-1',
  );
  expect(preview).toContain('staging@1');
  await git('fsck', '--strict');
  expect(github.violations).toEqual([]);
});
