/** Whatever somebody commits: what is wrong is said with place and remedy, and what is live goes on serving. */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { manifestText, webService } from '../lab/fleet.ts';
import { type GatewayProbe, startProbe } from '../lab/gateway-probe.ts';
import { createGitRepo, type FileChange, type GitRepo } from '../lab/git-repo.ts';
import { freePort, type Host, startHost } from '../lab/host.ts';
import { ensureWebImage } from '../lab/images.ts';
import { type RunningCommand, startCommand } from '../lab/running-command.ts';

const WEB = 'namespaces/shop/web.json';
const MORE = 'namespaces/shop/more.json';
const YAML = 'namespaces/shop/more.yaml';
const TOML = 'namespaces/shop/more.toml';
const BLOG = 'namespaces/blog.json';

const shop = (version: string) => manifestText('shop', [webService({ hostname: 'shop.test', version })]);
const GOOD: Record<string, FileChange> = {
  [WEB]: shop('1'),
  [MORE]: null,
  [YAML]: null,
  [TOML]: null,
  [BLOG]: manifestText('blog', [webService({ hostname: 'blog.test' })]),
  'slipway.toml': '[source]\nbranch = "main"\n',
};
const LEFT = 'Left as it is: shop; what is live goes on serving. Mend it and commit again';

let host: Host;
let repo: GitRepo;
let up: RunningCommand;
let probe: GatewayProbe;

beforeAll(async () => {
  await ensureWebImage();
  host = await startHost();
  repo = await createGitRepo({ dir: join(host.dir, 'fleet') });
  await repo.commit(GOOD);
  up = startCommand(host, ['up', '--repo', repo.path, '--hook-port', String(await freePort())]);
  await up.saw('shop: release #1 is live');
  await up.saw('ready: http://');
  probe = startProbe({ port: host.httpPort, hostname: 'shop.test' });
  await probe.settled('web 1');
});

afterAll(async () => {
  await probe?.stop();
  await up?.interrupt();
  await host?.destroy();
});

const LEVELS = 'bcdefghi'.split('');
const BOMB = [
  'a: &a [x,x,x,x,x,x,x,x,x]',
  ...LEVELS.map((it, n) => `${it}: &${it} [${Array(9).fill(`*${'abcdefgh'[n]}`).join(',')}]`),
].join('\n');

it.each<[string, Record<string, FileChange>, readonly string[]]>([
  [
    'a manifest that cannot be parsed',
    { [MORE]: '{"namespace": "shop", services' },
    [`${MORE}:1:23: not valid JSON: expected a key in quotes`, LEFT],
  ],
  ['a manifest that was saved half', { [WEB]: shop('2').slice(0, 85) }, [`${WEB}:6:`, LEFT]],
  [
    'half a TOML table',
    { [TOML]: 'namespace = "shop"\n[[services]]\nname = "w' },
    [`${TOML}:3:8: not valid TOML`, LEFT],
  ],
  ['an alias bomb', { [YAML]: BOMB }, [`${YAML}:2:8: aliases expand to more than 100 copies`, LEFT]],
  [
    '10,000 levels',
    { [MORE]: '['.repeat(10_000), [YAML]: '['.repeat(10_000), [TOML]: `a = ${'['.repeat(10_000)}` },
    [
      `${MORE}:1:33: not valid JSON: nested deeper than 32 levels`,
      `${TOML}:1:`,
      `${YAML}:1:33: nested deeper than 32 levels`,
      LEFT,
    ],
  ],
  [
    'a file of 100 MB',
    { [MORE]: Buffer.alloc(100 * 2 ** 20, 'x') },
    [`${MORE}: is larger than 1 MiB (split it: a namespace may be a folder of files)`, LEFT],
  ],
  ['__proto__', { [MORE]: '{"__proto__":{"services":[]}}' }, [`${MORE}:1:2 __proto__: unknown key "__proto__"`, LEFT]],
  [
    'a service that stands in two files',
    { [MORE]: manifestText('shop', [webService({ hostname: 'more.test', version: '2' })]) },
    [`${MORE}:5:15 services[0].name: another service of this namespace is called "web": ${WEB}:5:15`, LEFT],
  ],
  [
    'a hostname that two namespaces claim',
    { [BLOG]: manifestText('blog', [webService({ hostname: 'shop.test', version: '2' })]) },
    [
      '"shop.test" is also claimed by service "web" of namespace "shop"',
      '(a hostname belongs to one namespace)',
      'Left as it is: blog, shop; what is live goes on serving. Mend it and commit again',
    ],
  ],
  [
    'settings with a misspelt key',
    { 'slipway.toml': '[sorce]\nbranch = "main"\n', [WEB]: shop('2') },
    [
      'slipway.toml:1:2 sorce: unknown key "sorce" (did you mean "source"?)',
      'Nothing of this revision is used; what is live goes on serving. Mend it and commit again',
    ],
  ],
  [
    'an empty list of services',
    { [WEB]: manifestText('shop', []) },
    ['shop is not deployed: CONSENT_NEEDED: All of namespace shop is removed: 1 service. `slipway consent '],
  ],
  [
    'a namespace whose files are deleted',
    { [WEB]: null },
    ['shop is not deployed: CONSENT_NEEDED: The whole namespace shop is removed: 1 service. `slipway consent '],
  ],
])('%s is said with its place and remedy, and the old version serves', async (_, files, said) => {
  up.skip();
  await repo.commit({ ...GOOD, ...files });
  for (const it of said) await up.saw(it);
  expect(await probe.take()).toEqual(['web 1']);
});

it('says in every command what is wrong with the revision', async () => {
  up.skip();
  await repo.commit({ ...GOOD, [MORE]: '{"namespace": "shop", services' });
  await up.saw(LEFT);
  const problem = `${MORE}:1:23: not valid JSON: expected a key in quotes, found "s"`;
  const [status, events, deploy, validate] = await Promise.all([
    host.slipway(['status']),
    host.slipway(['events', '--json']),
    host.slipway(['deploy', 'shop', '--json']),
    host.slipway(['validate', repo.path]),
  ]);
  expect(status.stdout).toContain('has problems; mend them and commit again');
  expect(status.stdout).toContain(problem);
  expect(status.stdout).toContain('left as they are: shop');
  const recorded = (JSON.parse(events.stdout) as { data: { kind: string; message: string }[] }).data;
  expect(recorded).toContainEqual(expect.objectContaining({ kind: 'source.invalid', message: problem }));
  expect(deploy.code).toBe(1);
  expect(JSON.parse(deploy.stdout)).toMatchObject({
    ok: false,
    command: 'deploy',
    error: { code: 'MANIFEST_INVALID', message: problem, details: { problems: [{ file: MORE, line: 1, column: 23 }] } },
  });
  expect(validate.code).toBe(1);
  expect(validate.stdout + validate.stderr).toContain(problem);
});

it('refuses to empty or remove a namespace without consent, with an exit code of its own', async () => {
  up.skip();
  await repo.commit({ ...GOOD, [WEB]: manifestText('shop', []) });
  await up.saw('CONSENT_NEEDED');
  const refused = await host.slipway(['deploy', 'shop', '--json']);
  expect(refused.code).toBe(4);
  expect(JSON.parse(refused.stdout)).toMatchObject({ ok: false, error: { code: 'CONSENT_NEEDED' } });
  const wrong = await host.slipway(['deploy', 'shop', '--consent', '0123456789ab']);
  expect(wrong.code).toBe(4);
  expect(wrong.stderr).toContain('--consent 0123456789ab is for another plan');
  expect(await probe.take()).toEqual(['web 1']);
});

it('removes nothing when the branch is deleted, and goes on when it is back', async () => {
  up.skip();
  await repo.git(['branch', '-m', 'main', 'elsewhere']);
  await up.saw(`${repo.path} has no branch "main" (it has: elsewhere). Nothing is removed for it`);
  expect((await host.slipway(['status'])).stdout).toContain('cannot be read; nothing is removed for it');
  expect(await probe.take()).toEqual(['web 1']);
  await repo.git(['branch', '-m', 'elsewhere', 'main']);
  await up.saw('"Change" by Ada');
});

it('removes nothing when the repository is gone, and goes on when it is back', async () => {
  up.skip();
  await rename(repo.path, `${repo.path}-away`);
  await up.saw('Nothing is removed for it, what is live goes on serving; it is looked at again by itself');
  expect(await probe.take()).toEqual(['web 1']);
  await rename(`${repo.path}-away`, repo.path);
  await up.saw('"Change" by Ada');
});

it('shows settings that have no effect once, and deploys', async () => {
  up.skip();
  const before = up.text().length;
  await repo.commit({ ...GOOD, [WEB]: shop('2'), 'slipway.toml': '[tls]\nemail = "ops@shop.test"\n' });
  await up.saw('slipway.toml:2:1 tls.email: has no effect yet: the gateway does not speak TLS');
  await up.saw('shop: release #2 is live');
  await probe.settled('web 2');
  expect(
    up
      .text()
      .slice(before)
      .match(/tls\.email/g),
  ).toHaveLength(1);
  const { stdout } = await host.slipway(['releases', 'shop', '--json']);
  const { entries } = (JSON.parse(stdout) as { data: { entries: { kind: string; n: number }[] } }).data;
  expect(
    entries.map((it) => `${it.kind} ${it.n}`),
    'nothing that was bad was ever tried',
  ).toEqual(['release 2', 'release 1']);
});
