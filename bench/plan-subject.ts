/** What the plan benchmark works on: the pure functions between manifests and plan, with made-up machines and images. */
import { loadNamespaces } from '../controller/manifest/load.ts';
import type { ManifestFile } from '../controller/manifest/read.ts';
import { parseSettings } from '../controller/manifest/settings.ts';
import { buildPlan } from '../controller/plan/build.ts';
import type { PlanInput } from '../controller/plan/input.ts';
import { releaseFrom } from '../controller/plan/target.ts';
import { desiredDigest } from '../controller/reconcile.ts';
import type { Digest } from '../schemas/names.ts';
import type { Plan } from '../schemas/plan.ts';
import { type Desired, type ImageRef, specDigest } from '../schemas/service.ts';

const MACHINES = 10;
const IMAGE: ImageRef = { repo: 'registry.example/acme/shop', digest: `sha256:${'a'.repeat(64)}` };
const AT = '2026-01-01T00:00:00.000Z';

/** The one namespace of the files. @throws when they have problems */
export function desiredOf(files: readonly ManifestFile[]): Desired {
  const { settings } = parseSettings(null);
  if (settings === null) throw new Error('the default settings have problems');
  const { desired, problems } = loadNamespaces(files, settings);
  const [first] = desired;
  if (first === undefined || problems.length > 0) throw new Error(JSON.stringify(problems.slice(0, 3)));
  return first;
}

/** Plans the namespace on ten machines of unknown memory; nothing else is live. */
export function planOf(desired: Desired, digest: Digest, released: PlanInput['released']): Plan {
  const result = buildPlan({
    kind: 'deploy',
    desired,
    desiredDigest: digest,
    revision: '1'.repeat(40),
    managedBy: 'git',
    rollbackTo: null,
    tip: released?.release.n ?? 0,
    released,
    machines: Array.from({ length: MACHINES }, (_, index) => ({
      machine: { name: `m${index}`, labels: {}, region: null, zone: null, registeredAt: AT },
      memoryBytes: null,
      cpuMillicores: null,
    })),
    secrets: {},
    images: Object.fromEntries(desired.services.map((it) => [it.name, IMAGE])),
    finishedJobs: [],
    others: [],
    volumeRows: [],
    keptRows: [],
    gatewayPorts: [80],
    maxRemovePercent: 50,
    approvalRequired: false,
    quarantined: [],
  });
  if (!result.ok) throw new Error(JSON.stringify(result.failures.slice(0, 3)));
  return result.plan;
}

/** The release that a deploy of the files leaves. */
export function released(files: readonly ManifestFile[]): PlanInput['released'] {
  const desired = desiredOf(files);
  const made = planOf(desired, desiredDigest(desired), null);
  const phase = made.phases.at(-1);
  if (phase === undefined) throw new Error('the plan has no phase');
  const about = { deploy: '0000000000000000', n: 1, at: AT, actor: 'bench' };
  const release = releaseFrom({ plan: made, phase, ...about });
  return { release, specs: new Map(made.services.map((it) => [specDigest(it), it])) };
}
