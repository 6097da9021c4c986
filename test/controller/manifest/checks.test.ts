/** What fields mean together: each mistake is one problem at its place, with what to do. */
import { describe, expect, it } from 'vitest';
import { load, manifest, problemsOf, service, settingsOf } from './fleet.ts';

const http = { service_ports: [{ name: 'http', container_port: 8080 }] };
const route = (more: object = {}) => ({ http: { service_port: 'http', hostnames: ['shop.test'], ...more } });

/** Problems of services, without file and place. */
function messages(services: readonly object[], more: object = {}, settings = settingsOf()): string[] {
  const { problems } = load({ 'production.json': manifest(services, more) }, settings);
  return problems.map((it) => `${it.path}: ${it.message}${it.hint === undefined ? '' : ` (${it.hint})`}`);
}

it('shows the problem of DESIGN at its place', () => {
  const toml = `namespace = "production"
[[services]]
name = "web"
template = { image = "shop:1" }
[[services.service_ports]]
name = "http"
container_port = 8080
[[services.routes]]
http.hostnames = ["shop.test"]
http.service_port = "htp"
`;
  expect(problemsOf({ 'production.toml': toml })).toEqual([
    'production.toml:10:21 services[0].routes[0].http.service_port: "htp" is not one of this service\'s ports (did you mean "http"?)',
  ]);
});

it('finds all problems at once, of form and of meaning', () => {
  const found = messages([
    service({ restart: 'sometimes', colour: 'red', routes: [route()], depends_on: { db: 'ready' } }),
    service({ name: 'Web', template: { image: 'UPPER', env: { PORT: 8080 } } }),
  ]);
  expect(found).toEqual([
    'services[0].restart: "sometimes" is not one of "unless-stopped", "always", "on-failure", "no"',
    'services[0].colour: unknown key "colour"',
    'services[0].routes[0].http.service_port: "http" is not one of this service\'s ports (declare it in service_ports)',
    'services[0].depends_on.db: "db" is not a service of this namespace',
    'services[1].name: "Web" is not a name: 1 to 63 of a-z, 0-9, "-" and "_", beginning and ending with a letter or digit',
    'services[1].template.image: "UPPER" is not an image like "ghcr.io/acme/shop:1.2"',
    'services[1].template.env.PORT: wanted text, not the number 8080 (write "8080", in quotes)',
  ]);
});

describe('unknown keys', () => {
  it.each([
    [{ servce_ports: [] }, 'services[0].servce_ports: unknown key "servce_ports" (did you mean "service_ports"?)'],
    [{ image: 'x' }, 'services[0].image: unknown key "image" ("image" belongs to services[].template)'],
    [
      { replicas: 2 },
      'services[0].replicas: unknown key "replicas" (write placement = { replicated = { count = … } })',
    ],
    [{ security_opt: [] }, 'services[0].security_opt: unknown key "security_opt"'],
    [{ constructor: {} }, 'services[0].constructor: unknown key "constructor"'],
  ])('are problems with a suggestion: %j', (more, expected) => {
    expect(messages([service(more)])).toEqual([expected]);
  });
});

describe('traffic', () => {
  it.each([
    [{ ...http, routes: [{}] }, 'services[0].routes[0]: wants exactly one of http and tcp'],
    [{ ...http, readiness: { interval: '1s' } }, 'services[0].readiness: wants exactly one of http, tcp and exec'],
    [
      { service_ports: [...http.service_ports, ...http.service_ports] },
      'services[0].service_ports[1].name: another port of this service is called "http"',
    ],
    [
      {
        service_ports: [{ name: 'dns', container_port: 53, protocol: 'udp' }],
        readiness: { tcp: { service_port: 'dns' } },
      },
      'the port "dns" is udp; this wants tcp',
    ],
    [{ ...http, network: 'none' }, 'services[0].service_ports: with network = "none" nothing can be reached'],
    [{ ...http, routes: [route({ hostnames: ['*.shop.test'] })] }, '"*.shop.test" is not a hostname'],
    [{ ...http, routes: [route({ hostnames: ['Shop.test'] })] }, '"Shop.test" is not a hostname'],
    [{ ...http, routes: [route({ hostnames: ['shop.test:80'] })] }, '"shop.test:80" is not a hostname'],
    [{ ...http, routes: [route({ hostnames: [] })] }, 'services[0].routes[0].http.hostnames: must not be empty'],
    [{ ...http, routes: [route({ path_prefix: 'shop' })] }, '"shop" is not a path that begins with "/"'],
    [{ ...http, routes: [route({ path_prefix: '/a/../b' })] }, 'is not a path that begins with "/"'],
    [{ ...http, routes: [route({ path_prefix: '/a b' })] }, 'is not a path that begins with "/"'],
  ])('%j', (more, expected) => {
    const found = messages([service(more)]);
    expect(found.join('\n')).toContain(expected);
  });

  it('allows routes with the network of the machine, but not published ports', () => {
    const settings = settingsOf('[policy]\nhost_network = ["production"]\n');
    expect(messages([service({ ...http, network: 'host', routes: [route()] })], {}, settings)).toEqual([]);
    const publish = [{ service_port: 'http', host_port: 9000 }];
    expect(messages([service({ ...http, network: 'host', publish })], {}, settings).join()).toContain(
      'services[0].publish: with network = "host"',
    );
  });
});

describe('claims', () => {
  it('tells both services that want one hostname and path', () => {
    const [first, second] = messages([
      service({ name: 'a', ...http, routes: [route({ path_prefix: '/x/' })] }),
      service({ name: 'b', ...http, routes: [route({ path_prefix: '/x' })] }),
    ]);
    expect(first).toContain('"shop.test" with path "/x" is also claimed by service "b" (namespaces/production.json:1:');
    expect(second).toContain(
      '"shop.test" with path "/x" is also claimed by service "a" (namespaces/production.json:1:',
    );
  });

  it('lets services of one namespace share a hostname by path', () => {
    const found = messages([
      service({ name: 'a', ...http, routes: [route()] }),
      service({ name: 'b', ...http, routes: [route({ path_prefix: '/b' })] }),
    ]);
    expect(found).toEqual([]);
  });

  it('tells both namespaces that claim one hostname, also with different paths', () => {
    const text = manifest([service({ ...http, routes: [route()] })]);
    const other = manifest([service({ ...http, routes: [route({ path_prefix: '/b' })] })]).replace(
      'production',
      'staging',
    );
    const { invalid, problems } = load({ 'production.json': text, 'staging.json': other });
    expect(invalid).toEqual(new Set(['production', 'staging']));
    expect(problems.map((it) => it.message)).toEqual([
      expect.stringContaining('is also claimed by service "web" of namespace "staging" (namespaces/staging.json:1:'),
      expect.stringContaining(
        'is also claimed by service "web" of namespace "production" (namespaces/production.json:1:',
      ),
    ]);
  });

  it('tells who else has a port of the machines, unless they run on different ones', () => {
    const on = (name: string, machine: string) =>
      service({
        name,
        ...http,
        placement: { machines: [machine] },
        publish: [{ service_port: 'http', host_port: 9000 }],
      });
    expect(messages([on('a', 'm1'), on('b', 'm2')])).toEqual([]);
    expect(messages([on('a', 'm1'), on('b', 'm1')])).toHaveLength(2);
    const listener = service({ name: 'c', ...http, routes: [{ tcp: { service_port: 'http', listen_port: 9000 } }] });
    expect(messages([on('a', 'm1'), listener]).join()).toContain('the port tcp 9000 is also claimed by service "a"');
  });
});

describe('names and order', () => {
  it('names a cycle of services that wait for each other once', () => {
    const wait = (name: string, target: string) => service({ name, depends_on: { [target]: 'ready' } });
    expect(messages([wait('c', 'a'), wait('a', 'b'), wait('b', 'c'), wait('d', 'a')])).toEqual([
      'services[1].depends_on: services wait for each other: a → b → c → a',
    ]);
  });

  it.each([
    [{ web: 'ready' }, 'a service cannot wait for itself'],
    [{ job1: 'completed' }, '"job1" is not a service of this namespace (did you mean "job"?)'],
    [{ job: 'ready' }, '"job" is a job (write completed)'],
    [{ db: 'completed' }, '"db" is not a job, so it is never completed (write started or ready)'],
    [{ db: 'soon' }, '"soon" is not one of "started", "ready", "completed"'],
  ])('%j', (depends_on, expected) => {
    const found = messages([service({ depends_on }), service({ name: 'job', job: true }), service({ name: 'db' })]);
    expect(found.join()).toContain(expected);
    expect(found).toHaveLength(1);
  });

  it('refuses two volumes of one name', () => {
    expect(messages([], { volumes: [{ name: 'a' }, { name: 'a' }] })).toHaveLength(2);
  });
});

describe('containers', () => {
  const mount = (source: unknown, more: object = {}) => ({
    template: { image: 'x:1', mounts: [{ source, target: '/data', ...more }] },
  });
  const template = (more: object) => ({ template: { image: 'x:1', ...more } });
  it.each([
    [mount({ volume: 'dta' }), '"dta" is not a volume of this namespace (did you mean "data"?)'],
    [mount({ volume: 'data', bind: '/x' }), 'wants exactly one of volume, bind, tmpfs and secret'],
    [mount({}), 'wants exactly one of volume, bind, tmpfs and secret'],
    [mount('tmpfs', { readonly: true }), 'memory that cannot be written to is of no use'],
    [mount({ volume: 'data' }, { target: 'data' }), '"data" is not an absolute path'],
    [mount({ volume: 'data' }, { target: '/a/../b' }), '"/a/../b" is not an absolute path'],
    [mount({ volume: 'data' }, { target: '/' }), '"/" is not an absolute path'],
    [
      { placement: 'global', ...mount({ volume: 'data' }) },
      'a global service runs on every machine, but a volume lies on one',
    ],
    [
      template({
        mounts: [
          { source: 'tmpfs', target: '/a' },
          { source: 'tmpfs', target: '/a/' },
        ],
      }),
      'another mount of this service has the target "/a"',
    ],
    [template({ mounts: [], volumes: [] }), 'services[0].template.volumes: says the same as mounts; write one of them'],
    [template({ resources: { cpu: '1', cpu_millicores: 5 } }), 'says the same as cpu'],
    [{ strategy: 'rolling', rollout: 'recreate' }, 'services[0].rollout: says the same as strategy'],
    [template({ resources: { memory: '1Mi' } }), '"1Mi" is less than 6291456 bytes'],
    [template({ resources: { memory: '99999999999T' } }), 'is larger than any machine'],
    [
      template({ env: { LONG: 'x'.repeat(128 * 1024 - 'LONG='.length) } }),
      'services[0].template.env.LONG: 131072 bytes are more than Linux takes in one string, 131071',
    ],
    [template({ command: ['x', 'ü'.repeat(64 * 1024)] }), 'services[0].template.command[1]: 131072 bytes are more'],
    [template({ resources: { cpu: '1m' } }), 'less than the hundredth of a core'],
    [template({ labels: { 'slipway.namespace': 'x' } }), 'labels that begin with "slipway." are reserved'],
    [{ labels: { 'slipway.installation': 'x' } }, 'labels that begin with "slipway." are reserved'],
    [template({ env: { 'A=B': 'x' } }), '"A=B" is not the name of an environment variable'],
    [template({ env: { A: '{{env:NOPE}}' } }), '{{env:NOPE}} is not in [env] of slipway.toml (name it in [env]'],
    [template({ env: { A: '{{envs:REGION}}' } }), '"envs" is no kind of placeholder (did you mean "env"?)'],
    [template({ sysctls: { 'kernel.panic': '1' } }), 'is a parameter of the whole machine'],
    [template({ user: '-u' }), '"-u" is not a user'],
    [template({ image: '--help' }), '"--help" is not an image'],
    [
      template({ privileged: true }),
      'the namespace "production" may not run privileged containers (slipway.toml allows it with [policy] privileged = ["production"])',
    ],
    [template({ cap_add: ['NET_ADMIN'] }), '[policy] cap_add = ["production"]'],
    [template({ pid_mode: 'host' }), '[policy] pid_host = ["production"]'],
    [mount({ bind: '/var/run/docker.sock' }, { target: '/sock' }), '[policy] bind_mounts = ["production"]'],
    [{ network: 'host' }, '[policy] host_network = ["production"]'],
  ])('%j', (more, expected) => {
    const found = messages([service(more)], { volumes: [{ name: 'data' }] });
    expect(found.join('\n')).toContain(expected);
  });

  it('lets a namespace do what the policy allows it, and only that one', () => {
    const settings = settingsOf('[policy]\nprivileged = ["production"]\ncap_add = ["staging"]\n');
    expect(messages([service(template({ privileged: true }))], {}, settings)).toEqual([]);
    expect(messages([service(template({ cap_add: ['NET_ADMIN'] }))], {}, settings)).toHaveLength(1);
  });

  it('keeps placeholders of the shape {{…}} that are none of ours', () => {
    expect(messages([service(template({ env: { A: '{{ .Name }} {{x}} {' } }))])).toEqual([]);
  });
});

describe('running', () => {
  it.each([
    [{ job: true, ...http, routes: [route()] }, 'services[0].routes: a job runs once and ends: it cannot have this'],
    [{ job: true, restart: 'always' }, 'a job is not restarted'],
    [{ job: true, placement: 'global' }, 'a job runs once, not on every machine'],
    [{ job: true, placement: { replicated: { count: 2 } } }, 'a job runs once: its count is 1'],
    [{ placement: { replicated: { count: 2 }, global: true } }, 'wants one of replicated and global'],
    [{ strategy: { rolling: {}, recreate: {} } }, 'wants exactly one of rolling, recreate and blue_green'],
    [{ strategy: { rolling: { max_surge: 0 } } }, 'no instance could be replaced'],
    [{ strategy: { rolling: { max_surge: '101%' } } }, '"101%" is not a share'],
    [
      { strategy: 'blue-green' },
      '"blue-green" is not one of "rolling", "recreate", "blue_green" (did you mean "blue_green"?)',
    ],
    [
      {
        strategy: 'blue_green',
        template: { image: 'x:1', mounts: [{ source: { volume: 'data' }, target: '/data' }] },
      },
      'both would write to "/data"',
    ],
    [{ deadline: 'soon' }, '"soon" is not a duration'],
    [{ deadline: '0s' }, '"0s" is less than 1000 ms'],
    [{ deadline: '9999d' }, '"9999d" is more than 24 days'],
    [{ ...http, readiness: { tcp: { service_port: 'http' }, interval: '1ms' } }, '"1ms" is less than 100 ms'],
    [{ network: 5 }, 'wanted "overlay", "host", "none" or a table, not the number 5'],
  ])('%j', (more, expected) => {
    expect(messages([service(more)], { volumes: [{ name: 'data' }] }).join('\n')).toContain(expected);
  });

  it('lets several instances on one machine write to a volume', () => {
    const writer = service({
      placement: { replicated: { count: 2 } },
      template: { image: 'x:1', mounts: [{ source: { volume: 'data' }, target: '/data' }] },
    });
    expect(messages([writer], { volumes: [{ name: 'data', scope: 'single' }] })).toEqual([]);
  });
});
