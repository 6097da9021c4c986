/** Valid records with defaults, for tests of routing. */
import { digestOf } from '../../schemas/canonical.ts';
import type { InstanceReport } from '../../schemas/observed.ts';
import type { Release, SlotRow } from '../../schemas/release.ts';
import { type Route, type ServiceSpec, specDigest, templateDigest } from '../../schemas/service.ts';

export function serviceSpec(
  name: string,
  over: Partial<ServiceSpec> = {},
  env: Record<string, string> = {},
): ServiceSpec {
  return {
    name,
    imageName: `${name}:1`,
    pullPolicy: 'if-not-present',
    placement: { replicaCount: 1, machines: [], labels: {}, region: null, zone: null },
    template: {
      image: { repo: `example/${name}`, digest: `sha256:${'a'.repeat(64)}` },
      command: null,
      entrypoint: null,
      env,
      mounts: [],
      cpuMillicores: null,
      memoryBytes: null,
      user: null,
      capAdd: [],
      capDrop: [],
      privileged: false,
      sysctls: {},
      pidMode: 'private',
      labels: {},
      log: { maxSizeBytes: 1_000_000, maxFiles: 2 },
      network: 'overlay',
      udpPublish: [],
      restart: 'unless-stopped',
    },
    ports: [{ name: 'http', port: 8080, protocol: 'tcp' }],
    tcpPublish: [],
    routes: [],
    readiness: null,
    dependsOn: {},
    strategy: { kind: 'rolling', maxSurge: { percent: 100 }, maxUnavailable: { count: 0 } },
    stopGracePeriodMs: 10_000,
    deadlineMs: 60_000,
    onFailure: 'hold',
    job: false,
    ...over,
  };
}

export function httpRoute(hostname: string, pathPrefix = '/', port = 8080): Route {
  return { kind: 'http', hostname, pathPrefix, port };
}

export function slotRow(spec: ServiceSpec, index = 0, over: Partial<SlotRow> = {}): SlotRow {
  return {
    slot: `${spec.name}.${index}`,
    service: spec.name,
    machine: 'm1',
    spec: specDigest(spec),
    template: templateDigest(spec),
    deploy: 'd000000000000001',
    ...over,
  };
}

/** A live release of the specs with the slots given, or one slot a service. */
export function live(
  namespace: string,
  specs: readonly ServiceSpec[],
  slots?: readonly SlotRow[],
  more: readonly ServiceSpec[] = [],
) {
  const release: Release = {
    kind: 'release',
    namespace,
    n: 1,
    at: '2026-01-01T00:00:00.000Z',
    actor: 'test',
    deploy: 'd000000000000001',
    planId: digestOf('plan'),
    final: true,
    managedBy: 'git',
    source: { revision: null, desiredDigest: digestOf('desired') },
    services: Object.fromEntries(specs.map((it) => [it.name, specDigest(it)])),
    slots: [...(slots ?? specs.filter((it) => !it.job).map((it) => slotRow(it)))],
    volumes: [],
    routes: specs.flatMap((it) => it.routes.map((route) => ({ service: it.name, route }))),
    hostPorts: [],
    lineage: { previous: null, rollbackTo: null },
  };
  return { release, specs: new Map([...specs, ...more].map((it) => [specDigest(it), it])) };
}

let containers = 0;

/** A ready instance of the row, unless told otherwise. */
export function report(namespace: string, row: SlotRow, over: Partial<InstanceReport> = {}): InstanceReport {
  containers += 1;
  const { machine, service, slot, spec, template, deploy } = row;
  return {
    machine,
    namespace,
    service,
    slot,
    spec,
    template,
    deploy,
    containerId: digestOf(`container ${containers}`),
    address: `10.210.1.${(containers % 200) + 2}`,
    state: 'ready',
    viaSwap: false,
    restarts: 0,
    exitCode: null,
    lastProbe: null,
    ...over,
  };
}
