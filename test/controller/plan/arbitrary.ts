/** Arbitrary fleets: desired services, machines, and plan inputs made of them, for properties. */
import fc from 'fast-check';
import type { PlanInput } from '../../../controller/plan/input.ts';
import type { Amount, ServiceSpec, Strategy } from '../../../schemas/service.ts';
import { machine } from '../../builders/machine.ts';
import { planInput } from '../../builders/plan-input.ts';
import { image, serviceSpec, volumeMount } from '../../builders/service.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const VOLUMES = ['v0', 'v1'];
const MACHINES = ['m1', 'm2', 'm3'].map((name) => machine({ name }));

const amount: fc.Arbitrary<Amount> = fc.oneof(
  fc.integer({ min: 0, max: 3 }).map((count) => ({ count })),
  fc.constantFrom(0, 25, 50, 100).map((percent) => ({ percent })),
);

const strategy: fc.Arbitrary<Strategy> = fc.oneof(
  {
    arbitrary: fc.record({ kind: fc.constant('rolling' as const), maxSurge: amount, maxUnavailable: amount }),
    weight: 4,
  },
  { arbitrary: fc.constant({ kind: 'recreate' as const }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('blue-green' as const), holdMs: fc.constantFrom(0, 1000) }), weight: 1 },
);

function service(name: string): fc.Arbitrary<ServiceSpec> {
  return fc
    .record({
      version: fc.constantFrom('a', 'b', 'c'),
      count: fc.option(fc.integer({ min: 0, max: 4 }), { freq: 6, nil: null }),
      strategy,
      machines: fc.oneof(
        { arbitrary: fc.constant<string[]>([]), weight: 4 },
        { arbitrary: fc.subarray(['m1', 'm2', 'm3'], { minLength: 2 }), weight: 1 },
      ),
      mounts: fc.oneof(
        { arbitrary: fc.constant<ReturnType<typeof volumeMount>[]>([]), weight: 3 },
        {
          arbitrary: fc
            .tuple(fc.constantFrom(...VOLUMES), fc.boolean())
            .map(([volume, readonly]) => [volumeMount(volume, '/data', readonly)]),
          weight: 1,
        },
      ),
      network: fc.constantFrom('overlay' as const, 'overlay' as const, 'overlay' as const, 'host' as const),
      dependsOn: fc.subarray(NAMES.filter((it) => it < name)),
      deadlineMs: fc.constantFrom(1000, 2000),
      job: fc.integer({ min: 0, max: 5 }).map((it) => it === 0),
    })
    .map(({ version, count, machines, mounts, network, dependsOn, ...rest }) =>
      serviceSpec({
        name,
        ...rest,
        ports: network === 'host' ? [{ name: 'p', port: 9000 + NAMES.indexOf(name), protocol: 'tcp' }] : [],
        dependsOn: Object.fromEntries(dependsOn.map((it) => [it, 'ready' as const])),
        placement: { replicaCount: mounts.length > 0 ? (count ?? 1) : count, machines },
        template: { image: image(version), mounts, network },
      }),
    );
}

/** Desired services of one namespace; at most one of them publishes udp port 53. */
export const fleet: fc.Arbitrary<ServiceSpec[]> = fc
  .tuple(fc.tuple(...NAMES.map((name) => fc.option(service(name), { freq: 5 }))), fc.option(fc.constantFrom(...NAMES)))
  .map(([services, dns]) => {
    const present = services.filter((it) => it !== null);
    const names = new Set(present.map((it) => it.name));
    return present.map((it) => {
      const dependsOn = Object.fromEntries(Object.entries(it.dependsOn).filter(([name]) => names.has(name)));
      const udpPublish = it.name === dns ? [{ port: 53, protocol: 'udp' as const, hostPort: 53 }] : [];
      return { ...it, dependsOn, template: { ...it.template, udpPublish } };
    });
  });

/** An input for the services on three machines, with the volumes declared. */
export function inputFor(services: readonly ServiceSpec[], more: Partial<PlanInput> = {}): PlanInput {
  const input = planInput({ services, machines: MACHINES, ...more });
  const volumes = VOLUMES.map((name) => ({
    name,
    scope: 'single' as const,
    quotaBytes: null,
    mode: null,
    owner: null,
  }));
  return { ...input, desired: { ...input.desired, volumes } };
}
