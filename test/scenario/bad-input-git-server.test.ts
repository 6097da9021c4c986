/** A git server that fails in every way, and hooks that nobody may trust: nothing is removed, and it is said. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { manifestText, webService } from '../lab/fleet.ts';
import { type GatewayProbe, startProbe } from '../lab/gateway-probe.ts';
import { type GitFault, type GitHttpServer, serveGit } from '../lab/git-http.ts';
import { createGitRepo, type GitRepo } from '../lab/git-repo.ts';
import { freePort, type Host, startHost } from '../lab/host.ts';
import { ensureWebImage } from '../lab/images.ts';
import { sendPushHook } from '../lab/push-hook.ts';
import { type RunningCommand, startCommand } from '../lab/running-command.ts';

const SECRET = 'correct horse battery staple';
const NOTHING_REMOVED = 'Nothing is removed for it, what is live goes on serving; it is looked at again by itself';
const shop = (version: string) => ({
  'namespaces/shop.json': manifestText('shop', [webService({ hostname: 'shop.test', version })]),
});

let host: Host;
let repo: GitRepo;
let server: GitHttpServer;
let up: RunningCommand;
let probe: GatewayProbe;
let hookPort: number;

beforeAll(async () => {
  await ensureWebImage();
  host = await startHost();
  repo = await createGitRepo({ dir: join(host.dir, 'git/fleet') });
  await repo.git(['config', 'http.receivepack', 'true']);
  await repo.commit(shop('1'));
  server = await serveGit({ root: join(host.dir, 'git') });
  hookPort = await freePort();
  const args = ['up', '--repo', server.url('fleet/.git'), '--hook-port', String(hookPort)];
  up = startCommand(host, args, { SLIPWAY_HOOK_SECRETS: SECRET });
  await up.saw('shop: release #1 is live');
  probe = startProbe({ port: host.httpPort, hostname: 'shop.test' });
  await probe.settled('web 1');
});

afterAll(async () => {
  await probe?.stop();
  await up?.interrupt();
  await server?.close();
  await host?.destroy();
});

let deliveries = 0;

/** What a forge sends after a push. */
async function hook(args: { secret?: string; delivery?: string } = {}): Promise<{ status: number; code: string }> {
  const { secret = SECRET, delivery = `delivery-${(deliveries += 1)}` } = args;
  const response = await sendPushHook({ port: hookPort, secret, delivery });
  if (response === null) throw new Error('nobody listens for hooks');
  const { code } = (await response.json()) as { code: string };
  return { status: response.status, code };
}

it('looks at once for a hook that is signed, and deploys what it finds', async () => {
  up.skip();
  await repo.commit(shop('2'));
  expect(await hook({ delivery: 'the first' })).toEqual({ status: 202, code: 'ACCEPTED' });
  await up.saw('shop: release #2 is live', 10_000);
  await probe.settled('web 2');
});

/** Requests of who reads; the ledger pushes a release soon after it, and is quiet then. */
const looksAtBranches = () => server.requests.filter((it) => it.includes('git-upload-pack')).length;

it('does nothing for a hook that is forged, and nothing for one that is replayed', async () => {
  const looks = looksAtBranches();
  await hook();
  await expect.poll(looksAtBranches, { timeout: 10_000 }).toBeGreaterThan(looks);
  // The ledger has done its work then; the next poll is at least 12 s away from the last.
  await sleep(3_000);
  const before = looksAtBranches();
  expect(await hook({ secret: 'guessed' })).toEqual({ status: 401, code: 'BAD_SIGNATURE' });
  expect(await hook({ delivery: 'the first' })).toEqual({ status: 202, code: 'SEEN_BEFORE' });
  await sleep(2_000);
  expect(looksAtBranches()).toBe(before);
  expect(await probe.take()).toEqual(['web 2']);
});

it.each<[string, GitFault, string]>([
  ['500', 'error', 'answered 500'],
  ['a page for people', 'html', 'answers, but not as a git server does'],
  ['noise', 'rubbish', 'answered something that git does not'],
  ['a redirect to another host', 'elsewhere', 'redirects to 127.0.0.2:1'],
  ['a connection that is cut', 'cut', 'cut the connection'],
])('a git server that answers with %s removes nothing', async (_, fault, said) => {
  up.skip();
  server.fault = fault;
  server.redirectTo = 'http://127.0.0.2:1';
  await repo.commit(shop('2'), `while the server fails: ${fault}`);
  await hook();
  const line = await up.saw(NOTHING_REMOVED);
  expect(line).toContain(server.url('fleet/.git').slice('http://'.length));
  expect(line).toContain(said);
  expect(await probe.take()).toEqual(['web 2']);
  server.fault = 'none';
  await hook();
  await up.saw(`while the server fails: ${fault}`);
});

it('says that the source is away in every command', async () => {
  up.skip();
  server.fault = 'error';
  await hook();
  await up.saw(NOTHING_REMOVED);
  const [status, plan, events] = await Promise.all([
    host.slipway(['status']),
    host.slipway(['plan', 'shop', '--json']),
    host.slipway(['events', '--json']),
  ]);
  expect(status.stdout).toContain('cannot be read; nothing is removed for it');
  expect(plan.code).toBe(1);
  expect(JSON.parse(plan.stdout)).toMatchObject({ ok: false, error: { code: 'SOURCE_UNAVAILABLE' } });
  expect(events.stdout).toContain('"kind":"source.unavailable"');
  server.fault = 'none';
  await hook();
  await up.saw('while the server fails: cut');
});

it('gives a server that answers nothing up after a while, and follows it when it is back', async () => {
  up.skip();
  server.fault = 'silence';
  await repo.commit(shop('3'), 'in silence');
  await hook();
  expect(await up.saw(NOTHING_REMOVED, 40_000)).toContain('did not answer within 20 s');
  expect(await probe.take()).toEqual(['web 2']);
  server.fault = 'none';
  await hook();
  await up.saw('shop: release #3 is live');
  await probe.settled('web 3');
});

it('says when nobody listens at the address at all', async () => {
  up.skip();
  await server.close();
  await hook();
  const line = await up.saw(NOTHING_REMOVED);
  expect(line).toContain('refuses connections');
  expect(await probe.take()).toEqual(['web 3']);
});
