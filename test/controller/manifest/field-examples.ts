/** One example of each row of the field table. */

/** What is added to the manifest, and what it makes of the desired namespace (`service`: of the service "web"). */
export interface Example {
  readonly service?: object;
  readonly template?: object;
  readonly volume?: object;
  readonly root?: object;
  readonly makes?: { readonly service?: object; readonly desired?: object };
}

const http = { service_ports: [{ name: 'http', container_port: 8080 }] };
const mounts = (mount: object, resolved: object): Example => ({
  template: { mounts: [{ target: '/m', ...mount }] },
  makes: { service: { template: { mounts: [{ target: '/m', ...resolved }] } } },
});
const asVolumes = ({ template, makes }: Example): Example => ({
  template: { volumes: (template as { mounts: object[] }).mounts },
  ...(makes === undefined ? {} : { makes }),
});
const makes = (service: object) => ({ makes: { service } });
const readiness = (more: object, resolved: object): Example => ({
  service: { readiness: { exec: { command: ['true'] }, ...more } },
  ...makes({ readiness: resolved }),
});

const MOUNTS: Record<string, Example> = {
  source: mounts({ source: 'tmpfs' }, { kind: 'tmpfs', sizeBytes: null }),
  'source.volume': mounts({ source: { volume: 'data' } }, { kind: 'volume', volume: 'data', readonly: false }),
  'source.bind': mounts({ source: { bind: '/srv' } }, { kind: 'bind', path: '/srv', readonly: false }),
  'source.tmpfs.size': mounts({ source: { tmpfs: { size: '64Mi' } } }, { kind: 'tmpfs', sizeBytes: 67_108_864 }),
  'source.secret': mounts({ source: { secret: 'db.KEY' } }, { kind: 'secret', secret: 'db.KEY' }),
  target: mounts({ source: 'tmpfs', target: '/other' }, { target: '/other' }),
  readonly: mounts({ source: { volume: 'data' }, readonly: true }, { kind: 'volume', readonly: true }),
};

/** For each field that works: what is written, and what it makes. */
export const EXAMPLES: Record<string, Example> = {
  namespace: { makes: { desired: { namespace: 'production' } } },
  'services[].name': {
    service: { name: 'shop' },
    makes: { desired: { services: [{ name: 'db' }, { name: 'shop' }] } },
  },
  'services[].placement': { service: { placement: 'global' }, ...makes({ placement: { replicaCount: null } }) },
  'services[].placement.replicated.count': {
    service: { placement: { replicated: { count: 3 } } },
    ...makes({ placement: { replicaCount: 3 } }),
  },
  'services[].placement.global': {
    service: { placement: { global: true } },
    ...makes({ placement: { replicaCount: null } }),
  },
  'services[].placement.machines': {
    service: { placement: { machines: ['m2', 'm1'] } },
    ...makes({ placement: { machines: ['m1', 'm2'], replicaCount: 1 } }),
  },
  'services[].placement.labels': {
    service: { placement: { labels: { disk: 'ssd' } } },
    ...makes({ placement: { labels: { disk: 'ssd' } } }),
  },
  'services[].placement.region': {
    service: { placement: { region: 'eu' } },
    ...makes({ placement: { region: 'eu' } }),
  },
  'services[].placement.zone': { service: { placement: { zone: 'eu-1' } }, ...makes({ placement: { zone: 'eu-1' } }) },
  'services[].template.image': {
    template: { image: 'ghcr.io/acme/shop:2' },
    ...makes({ imageName: 'ghcr.io/acme/shop:2' }),
  },
  'services[].template.command': { template: { command: ['serve'] }, ...makes({ template: { command: ['serve'] } }) },
  'services[].template.entrypoint': {
    template: { entrypoint: ['/init'] },
    ...makes({ template: { entrypoint: ['/init'] } }),
  },
  'services[].template.env': {
    template: { env: { A: 'in {{env:REGION}}' } },
    ...makes({ template: { env: { A: 'in eu' } } }),
  },
  ...Object.fromEntries(Object.entries(MOUNTS).map(([key, it]) => [`services[].template.mounts[].${key}`, it])),
  ...Object.fromEntries(
    Object.entries(MOUNTS).map(([key, it]) => [`services[].template.volumes[].${key}`, asVolumes(it)]),
  ),
  'services[].template.resources.cpu': {
    template: { resources: { cpu: '1.5' } },
    ...makes({ template: { cpuMillicores: 1500 } }),
  },
  'services[].template.resources.memory': {
    template: { resources: { memory: '256Mi' } },
    ...makes({ template: { memoryBytes: 268_435_456 } }),
  },
  'services[].template.resources.cpu_millicores': {
    template: { resources: { cpu_millicores: 500 } },
    ...makes({ template: { cpuMillicores: 500 } }),
  },
  'services[].template.resources.memory_bytes': {
    template: { resources: { memory_bytes: 10_000_000 } },
    ...makes({ template: { memoryBytes: 10_000_000 } }),
  },
  'services[].template.user': { template: { user: '1000:1000' }, ...makes({ template: { user: '1000:1000' } }) },
  'services[].template.cap_add': {
    template: { cap_add: ['CAP_NET_ADMIN'] },
    ...makes({ template: { capAdd: ['NET_ADMIN'] } }),
  },
  'services[].template.cap_drop': { template: { cap_drop: ['ALL'] }, ...makes({ template: { capDrop: ['ALL'] } }) },
  'services[].template.privileged': { template: { privileged: true }, ...makes({ template: { privileged: true } }) },
  'services[].template.sysctls': {
    template: { sysctls: { 'net/core.somaxconn': '1024' } },
    ...makes({ template: { sysctls: { 'net.core.somaxconn': '1024' } } }),
  },
  'services[].template.pid_mode': { template: { pid_mode: 'host' }, ...makes({ template: { pidMode: 'host' } }) },
  'services[].template.stop_grace_period': {
    template: { stop_grace_period: '1m30s' },
    ...makes({ stopGracePeriodMs: 90_000 }),
  },
  'services[].template.pull_policy': { template: { pull_policy: 'always' }, ...makes({ pullPolicy: 'always' }) },
  'services[].template.labels': {
    template: { labels: { team: 'shop' } },
    ...makes({ template: { labels: { team: 'shop' } } }),
  },
  'services[].template.log.max_size': {
    template: { log: { max_size: '1M' } },
    ...makes({ template: { log: { maxSizeBytes: 1_048_576, maxFiles: 3 } } }),
  },
  'services[].template.log.max_files': {
    template: { log: { max_files: 7 } },
    ...makes({ template: { log: { maxFiles: 7 } } }),
  },
  'services[].network': { service: { network: 'host' }, ...makes({ template: { network: 'host' } }) },
  'services[].labels': { service: { labels: { team: 'shop' } }, ...makes({ template: { labels: { team: 'shop' } } }) },
  'services[].service_ports[].name': { service: http, ...makes({ ports: [{ name: 'http' }] }) },
  'services[].service_ports[].container_port': { service: http, ...makes({ ports: [{ port: 8080 }] }) },
  'services[].service_ports[].protocol': {
    service: { service_ports: [{ name: 'dns', container_port: 53, protocol: 'udp' }] },
    ...makes({ ports: [{ protocol: 'udp' }] }),
  },
  'services[].publish[].service_port': {
    service: { ...http, publish: [{ service_port: 'http', host_port: 9000 }] },
    ...makes({ tcpPublish: [{ port: 8080, protocol: 'tcp', hostPort: 9000 }] }),
  },
  'services[].publish[].host_port': {
    service: {
      service_ports: [{ name: 'dns', container_port: 53, protocol: 'udp' }],
      publish: [{ service_port: 'dns', host_port: 5353 }],
    },
    ...makes({ template: { udpPublish: [{ port: 53, protocol: 'udp', hostPort: 5353 }] } }),
  },
  'services[].routes[].http.service_port': {
    service: { ...http, routes: [{ http: { service_port: 'http', hostnames: ['a.test'] } }] },
    ...makes({ routes: [{ port: 8080 }] }),
  },
  'services[].routes[].http.hostnames': {
    service: { ...http, routes: [{ http: { service_port: 'http', hostnames: ['b.test', 'a.test'] } }] },
    ...makes({ routes: [{ hostname: 'a.test', pathPrefix: '/' }, { hostname: 'b.test' }] }),
  },
  'services[].routes[].http.path_prefix': {
    service: { ...http, routes: [{ http: { service_port: 'http', hostnames: ['a.test'], path_prefix: '/shop/' } }] },
    ...makes({ routes: [{ pathPrefix: '/shop' }] }),
  },
  'services[].routes[].tcp.service_port': {
    service: { ...http, routes: [{ tcp: { service_port: 'http', listen_port: 5432 } }] },
    ...makes({ routes: [{ kind: 'tcp', port: 8080 }] }),
  },
  'services[].routes[].tcp.listen_port': {
    service: { ...http, routes: [{ tcp: { service_port: 'http', listen_port: 5432 } }] },
    ...makes({ routes: [{ listenPort: 5432 }] }),
  },
  'services[].readiness.http.service_port': {
    service: { ...http, readiness: { http: { service_port: 'http', path: '/h' } } },
    ...makes({ readiness: { probe: { kind: 'http', port: 8080 } } }),
  },
  'services[].readiness.http.path': {
    service: { ...http, readiness: { http: { service_port: 'http', path: '/h' } } },
    ...makes({ readiness: { probe: { path: '/h' } } }),
  },
  'services[].readiness.tcp.service_port': {
    service: { ...http, readiness: { tcp: { service_port: 'http' } } },
    ...makes({ readiness: { probe: { kind: 'tcp', port: 8080 } } }),
  },
  'services[].readiness.exec.command': readiness({}, { probe: { kind: 'exec', command: ['true'] } }),
  'services[].readiness.interval': readiness({ interval: '5s' }, { intervalMs: 5000 }),
  'services[].readiness.timeout': readiness({ timeout: '500ms' }, { timeoutMs: 500 }),
  'services[].readiness.retries': readiness({ retries: 9 }, { retries: 9 }),
  'services[].readiness.start_period': readiness({ start_period: '1m' }, { startPeriodMs: 60_000 }),
  'services[].readiness.liveness_timeout': readiness({ liveness_timeout: '1h' }, { livenessTimeoutMs: 3_600_000 }),
  'services[].restart': { service: { restart: 'on-failure' }, ...makes({ template: { restart: 'on-failure' } }) },
  'services[].depends_on': { service: { depends_on: { db: 'started' } }, ...makes({ dependsOn: { db: 'started' } }) },
  'services[].strategy': { service: { strategy: 'recreate' }, ...makes({ strategy: { kind: 'recreate' } }) },
  'services[].strategy.rolling.max_surge': {
    service: { strategy: { rolling: { max_surge: '25%' } } },
    ...makes({ strategy: { kind: 'rolling', maxSurge: { percent: 25 } } }),
  },
  'services[].strategy.rolling.max_unavailable': {
    service: { strategy: { rolling: { max_unavailable: 2 } } },
    ...makes({ strategy: { maxUnavailable: { count: 2 } } }),
  },
  'services[].strategy.recreate': {
    service: { strategy: { recreate: {} } },
    ...makes({ strategy: { kind: 'recreate' } }),
  },
  'services[].strategy.blue_green.hold': {
    service: { strategy: { blue_green: { hold: '5m' } } },
    ...makes({ strategy: { kind: 'blue-green', holdMs: 300_000 } }),
  },
  'services[].rollout': {
    service: { rollout: 'blue_green' },
    ...makes({ strategy: { kind: 'blue-green', holdMs: 0 } }),
  },
  'services[].deadline': { service: { deadline: '30s' }, ...makes({ deadlineMs: 30_000 }) },
  'services[].on_failure': { service: { on_failure: 'revert' }, ...makes({ onFailure: 'revert' }) },
  'services[].job': { service: { job: true }, ...makes({ job: true, template: { restart: 'no' } }) },
  'volumes[].name': { makes: { desired: { volumes: [{ name: 'data' }] } } },
  'volumes[].scope': { volume: { scope: 'single' }, makes: { desired: { volumes: [{ scope: 'single' }] } } },
  'volumes[].mode': { volume: { mode: '0750' }, makes: { desired: { volumes: [{ mode: 0o750 }] } } },
  'volumes[].owner': {
    volume: { owner: '999:998' },
    makes: { desired: { volumes: [{ owner: { uid: 999, gid: 998 } }] } },
  },
  'volumes[].preview': { volume: { preview: 'branch' }, makes: { desired: { volumes: [{ preview: 'branch' }] } } },
};

/** For each field that is refused: what is written. */
export const REFUSED: Record<string, Example> = {
  'services[].template.resources.gpu': { template: { resources: { gpu: 1 } } },
  'services[].template.resources.vram': { template: { resources: { vram: '24GB' } } },
  'services[].network.service': { service: { network: { service: 'db' } } },
  'services[].publish[].host_ip': {
    service: { ...http, publish: [{ service_port: 'http', host_port: 9000, host_ip: '127.0.0.1' }] },
  },
  'services[].strategy.canary': { service: { strategy: { canary: { steps: ['5%'] } } } },
  'services[].autoscale': { service: { autoscale: { max: 3 } } },
  'services[].recovery': { service: { recovery: 'move' } },
  'volumes[].scope': { volume: { scope: 'shared' } },
  'volumes[].quota': { volume: { quota: '20G' } },
  intent: { root: { intent: { services: [] } } },
};
