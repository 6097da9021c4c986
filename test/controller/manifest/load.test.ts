/** From the files of a revision to namespaces and problems. */
import { expect, it } from 'vitest';
import { loadManifest, loadNamespaces } from '../../../controller/manifest/load.ts';
import { problemText } from '../../../schemas/problem.ts';
import { Desired } from '../../../schemas/service.ts';
import { desiredOf, fileOf, load, manifest, problemsOf, service, settingsOf } from './fleet.ts';

it('accepts the Ployz example unchanged', () => {
  const desired = desiredOf(
    '{"namespace":"production","services":[{"name":"web","placement":{"replicated":{"count":2}},"template":{"image":"myapp:1","env":{"PORT":"8080"}},"network":"overlay","service_ports":[{"name":"http","container_port":8080,"protocol":"tcp"}],"readiness":{"http":{"service_port":"http","path":"/healthz"},"start_period":"10s"},"restart":"unless-stopped"}]}',
  );
  expect(Desired.parse(desired).services[0]).toMatchObject({
    name: 'web',
    imageName: 'myapp:1',
    placement: { replicaCount: 2 },
    ports: [{ name: 'http', port: 8080, protocol: 'tcp' }],
    readiness: {
      probe: { kind: 'http', port: 8080, path: '/healthz' },
      startPeriodMs: 10_000,
      intervalMs: 2000,
      retries: 3,
    },
    strategy: { kind: 'rolling', maxSurge: { percent: 100 }, maxUnavailable: { count: 0 } },
    deadlineMs: 120_000,
    stopGracePeriodMs: 10_000,
    template: {
      env: { PORT: '8080' },
      network: 'overlay',
      restart: 'unless-stopped',
      log: { maxSizeBytes: 10_485_760, maxFiles: 3 },
    },
  });
});

it('accepts the manifest that Ployz ships as its example', () => {
  const ployz = service({
    placement: { replicated: { count: 1 } },
    network: 'overlay',
    service_ports: [{ name: 'http', container_port: 8080, protocol: 'tcp' }],
    publish: [{ service_port: 'http', host_port: 9090 }],
    routes: [{ http: { service_port: 'http', hostnames: ['localhost'], path_prefix: '/' } }],
    restart: 'unless-stopped',
  });
  expect(desiredOf(manifest([ployz])).services[0]?.routes).toEqual([
    { kind: 'http', hostname: 'localhost', pathPrefix: '/', port: 8080 },
  ]);
});

it('gives the same namespace from TOML, YAML and JSON', () => {
  const toml = 'namespace = "production"\n[[services]]\nname = "web"\ntemplate.image = "shop:1"\n';
  const yaml = 'namespace: production\nservices:\n  - {name: web, template: {image: "shop:1"}}\n';
  const expected = load({ 'production.json': manifest() }).desired;
  expect(load({ 'production.toml': toml }).desired).toEqual(expected);
  expect(load({ 'production.yaml': yaml }).desired).toEqual(expected);
  expect(load({ 'production.yml': yaml }).desired).toEqual(expected);
});

it('merges the files of a folder, where the namespace may be left out', () => {
  const { desired, problems } = load({
    'production/web.json': JSON.stringify({ services: [service()] }),
    'production/volumes.toml': '[[volumes]]\nname = "data"\n',
    'production/db.yaml': 'namespace: production\nservices: [{name: db, template: {image: "db:1"}}]',
  });
  expect(problems).toEqual([]);
  expect(desired[0]?.services.map((it) => it.name)).toEqual(['db', 'web']);
  expect(desired[0]?.volumes.map((it) => it.name)).toEqual(['data']);
});

it('names both places of a service that stands in two files', () => {
  const part = JSON.stringify({ services: [service()] });
  expect(problemsOf({ 'production/a.json': part, 'production/b.json': part })).toEqual([
    'production/a.json:1:22 services[0].name: another service of this namespace is called "web": production/b.json:1:22',
    'production/b.json:1:22 services[0].name: another service of this namespace is called "web": production/a.json:1:22',
  ]);
});

it('refuses a namespace that a file and a folder, or two files, make', () => {
  const both = problemsOf({ 'production.json': manifest(), 'production/a.json': manifest() });
  expect(both).toEqual([
    'production.json: this namespace is also made by production/a.json',
    'production/a.json: this namespace is also made by production.json',
  ]);
  expect(problemsOf({ 'production.json': manifest(), 'production.toml': '' })).toHaveLength(2);
});

it('wants the namespace to be called like its file', () => {
  const loaded = load({ 'staging.json': manifest(), 'other.json': manifest().replace('production', 'other') });
  expect(problemsOf({ 'staging.json': manifest() })).toEqual([
    'staging.json:1:14 namespace: the file is called "staging", but this says "production" (rename the file, or write "staging")',
  ]);
  expect([...loaded.invalid].toSorted()).toEqual(['production', 'staging']);
  expect(loaded.desired.map((it) => it.namespace)).toEqual(['other']);
});

it('takes an empty list of services for a namespace that wants nothing', () => {
  expect(load({ 'a.toml': 'namespace = "a"\nservices = []\n' }).desired).toEqual([
    { namespace: 'a', services: [], volumes: [] },
  ]);
});

it.each([
  ['an empty file', ''],
  ['a comment only', '# later\n'],
  ['a table without services', 'namespace = "a"\n'],
])('does not take %s for a namespace that wants nothing', (_, text) => {
  const { desired, invalid } = load({ 'a.toml': text });
  expect(desired).toEqual([]);
  expect(invalid).toEqual(new Set(['a']));
});

it('wants the services in one file of a folder at least', () => {
  expect(problemsOf({ 'a/volumes.toml': '[[volumes]]\nname = "x"\n' })).toEqual([
    'a/volumes.toml services: is required in one of the files. An empty list removes every service of the namespace',
  ]);
});

it('goes on with the other namespaces when one has a problem', () => {
  const { desired, invalid } = load({ 'production.json': manifest(), 'broken.toml': 'namespace = "broken' });
  expect(desired.map((it) => it.namespace)).toEqual(['production']);
  expect(invalid).toEqual(new Set(['broken']));
});

it('does not look at hidden files, other endings and other folders', () => {
  const { desired, problems } = load({
    '.hidden.toml': '',
    'README.md': '#',
    '.git/x.toml': '',
    'production.json': manifest(),
  });
  expect(problems).toEqual([]);
  expect(desired).toHaveLength(1);
});

it.each([
  'Production.toml',
  'a b.toml',
  '-x.toml',
  'a\nb.toml',
  'pröd.toml',
  '../up.toml',
  'Prod/web.toml',
  '__proto__.toml',
])('refuses %j as the name of a namespace', (path) => {
  const loaded = load({ [path]: 'namespace = "x"\nservices = []\n' });
  expect(loaded.problems.map((it) => it.message).join()).toMatch(/cannot be the name of a namespace|^$/);
  expect(loaded.desired).toEqual([]);
});

it('pins images by the digests of a lock file, which is no namespace', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const lock = `[[images]]\nservice = "web"\nimage = "shop:1"\ndigest = "${digest}"\n`;
  const { desired, locks, notices } = load({ 'production.json': manifest(), 'production.lock.toml': lock });
  expect(desired.map((it) => it.namespace)).toEqual(['production']);
  expect(desired[0]?.services[0]?.lockedImage).toEqual({ repo: 'shop', digest });
  expect(locks.get('production')).toMatchObject({
    path: 'namespaces/production.lock.toml',
    entries: [{ service: 'web', image: 'shop:1', digest }],
    promotedFrom: null,
  });
  expect(notices).toEqual([]);
  expect(load({ 'gone.lock.toml': lock })).toMatchObject({ desired: [], problems: [], invalid: new Set() });
});

it('pins nothing by an entry whose image string is another one by now, and says so with its line', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const entry = (service: string, image: string) =>
    `[[images]]\nservice = "${service}"\nimage = "${image}"\ndigest = "${digest}"\n`;
  const lock = `${entry('web', 'shop:2')}${entry('gone', 'shop:1')}`;
  const { desired, notices, invalid } = load({ 'production.json': manifest(), 'production.lock.toml': lock });
  expect(desired).toEqual(load({ 'production.json': manifest() }).desired);
  expect(invalid.size).toBe(0);
  expect(notices.map(problemText)).toEqual([
    expect.stringMatching(
      /production\.lock\.toml:1:\d+ .*"web" \("shop:2"\) is not used: the manifest says "shop:1" now/,
    ),
    expect.stringMatching(/production\.lock\.toml:5:\d+ .*"gone" \("shop:1"\) is not used: .* no service of this name/),
  ]);
});

it('refuses two entries for one service', () => {
  const entry = `[[images]]\nservice = "web"\nimage = "shop:1"\ndigest = "sha256:${'a'.repeat(64)}"\n`;
  expect(problemsOf({ 'production.json': manifest(), 'production.lock.toml': `${entry}${entry}` })).toEqual([
    expect.stringMatching(/production\.lock\.toml:6:\d+ .*"web" has an entry already/),
  ]);
});

it('does not deploy a namespace whose lock file cannot be read', () => {
  expect(
    problemsOf({ 'production.json': manifest(), 'production.lock.toml': '[[images]]\nservice = "web"\n' }),
  ).toEqual([
    'production.lock.toml:1:3 images[0].digest: is required',
    'production.lock.toml:1:3 images[0].image: is required',
  ]);
  expect(problemsOf({ 'production/a.json': manifest(), 'production/a.lock.toml': '' })).toEqual([
    'production/a.lock.toml: a lock file lies beside the folder of its namespace, not in it',
  ]);
});

it('refuses more files than it reads, without calling any namespace gone', () => {
  const files = Object.fromEntries(Array.from({ length: 2001 }, (_, n) => [`n${n}.toml`, 'x']));
  const { problems, invalid, desired } = load(files);
  expect(problems).toHaveLength(1);
  expect(invalid.size).toBe(2001);
  expect(desired).toEqual([]);
});

it('shows at most a hundred problems of a file, and how many there are', () => {
  const keys = Array.from({ length: 500 }, (_, n) => `x${n} = 1`).join('\n');
  const problems = problemsOf({ 'a.toml': `${keys}\nnamespace = "a"\nservices = []\n` });
  expect(problems).toHaveLength(101);
  expect(problems.at(-1)).toBe('a.toml: 400 more problems in this file');
});

it('reads one manifest by itself, whatever it is called', () => {
  const { desired, problems } = loadManifest(fileOf('/tmp/any.json', manifest()), settingsOf());
  expect(problems).toEqual([]);
  expect(desired?.namespace).toBe('production');
  expect(loadManifest(fileOf('x.json', '{"services":[]}'), settingsOf()).desired).toBeNull();
});

it('finds the folder of manifests where the settings say', () => {
  const settings = settingsOf('[source]\nmanifests = "deploy/fleet"\n');
  const files = [fileOf('deploy/fleet/production.json', manifest()), fileOf('namespaces/other.json', 'not read')];
  expect(loadNamespaces(files, settings)).toMatchObject({ desired: [{ namespace: 'production' }], problems: [] });
});

it('reads 2,000 services in well under a second', () => {
  const services = Array.from({ length: 2000 }, (_, n) =>
    service({ name: `web-${n}`, depends_on: n > 0 ? { [`web-${n - 1}`]: 'ready' } : {} }),
  );
  const started = performance.now();
  expect(desiredOf(manifest(services)).services).toHaveLength(2000);
  expect(performance.now() - started).toBeLessThan(1500);
});
