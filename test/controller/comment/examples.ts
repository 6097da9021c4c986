/** One comment of every kind that people see. */
import type { CommentModel } from '../../../controller/comment/model.ts';
import type { Plan } from '../../../schemas/plan.ts';
import type { Problem } from '../../../schemas/problem.ts';
import type { ServiceSpec } from '../../../schemas/service.ts';
import { BASE, commentModel, HEAD, mergedBy, planned, previewView } from '../../builders/comment.ts';
import { machine } from '../../builders/machine.ts';
import { planOf } from '../../builders/plan.ts';
import { planInput, released } from '../../builders/plan-input.ts';
import { image, serviceSpec, volumeMount } from '../../builders/service.ts';
import { planWith } from './arbitrary.ts';

const machines = [machine({ memoryBytes: 8 * 1024 ** 3 }), machine({ name: 'm2', memoryBytes: 8 * 1024 ** 3 })];

function web(version: string, overrides: Parameters<typeof serviceSpec>[0] = {}): ServiceSpec {
  return serviceSpec({
    imageName: `registry.example/shop/web:${version}`,
    placement: { replicaCount: 3 },
    routes: [{ kind: 'http', hostname: 'shop.example', pathPrefix: '/', port: 8080 }],
    template: {
      image: image(version.replaceAll('.', ''), 'registry.example/shop/web'),
      env: { GREETING: `hello ${version}`, REGION: 'eu' },
    },
    ...overrides,
  });
}

const api = (deadlineMs = 60_000) => serviceSpec({ name: 'api', deadlineMs });
const db = (version: string) =>
  serviceSpec({
    name: 'db',
    imageName: `postgres:${version}`,
    ports: [],
    template: { image: image(version, 'registry.example/postgres'), mounts: [volumeMount()] },
  });
const migrate = serviceSpec({ name: 'migrate', job: true, ports: [], dependsOn: { db: 'ready' } });
const volumes = [{ name: 'data', scope: 'single' as const, quotaBytes: null, mode: null, owner: null }];

function shop(services: ServiceSpec[], overrides: Parameters<typeof planOf>[0] = {}): Plan {
  return planOf({
    services,
    desired: { ...planInput({ services }).desired, volumes },
    machines,
    volumeRows: [{ volume: 'data', machine: 'm1' }],
    ...overrides,
  });
}

const live = (services: ServiceSpec[], n = 41) => released(services, { n });
const problem = (overrides: Partial<Problem>): Problem => ({
  file: 'namespaces/production.toml',
  line: 14,
  column: 9,
  path: 'services[0].routes[0].http.service_port',
  message: '"htp" is not one of this service\'s ports',
  hint: 'did you mean "http"?',
  ...overrides,
});
const history: CommentModel['history'] = [
  {
    plan: 'c'.repeat(64),
    head: BASE,
    base: HEAD,
    release: 41,
    verdict: '✅ ready to merge',
    at: '2026-01-03T08:30:00.000Z',
  },
  {
    plan: 'd'.repeat(64),
    head: HEAD,
    base: BASE,
    release: null,
    verdict: '⚠️ waits for approval',
    at: '2026-01-03T08:10:00.000Z',
  },
];

const first = shop([web('1.4'), db('15'), migrate], { volumeRows: [] });
const inPlace = shop([web('1.4'), api(5_000)], { released: live([web('1.4'), api()]) });
const update = shop([web('1.5'), api()], { released: live([web('1.4'), api()]) });
const recreate = shop([web('1.5'), db('16'), migrate], { released: live([web('1.4'), db('15')]) });
const removal = shop([web('1.4')], { released: live([web('1.4'), api(), serviceSpec({ name: 'old' })]) });
const gone = planOf({ kind: 'remove', services: [], revision: null, released: live([web('1.4'), api()]) });
const approved = shop([web('1.5'), api()], { released: live([web('1.4'), api()]), approvalRequired: true });
const everything = shop([web('1.5'), db('16'), migrate, api()], {
  released: live([web('1.4'), db('15'), api(), serviceSpec({ name: 'old' })]),
  approvalRequired: true,
});
const same = shop([web('1.4'), api()], { released: live([web('1.4'), api()]) });

const failure = {
  code: 'NEVER_READY',
  message: 'web.0 on m1 was not ready within 1m; what served before goes on serving',
  evidence: [
    {
      slot: 'web.0 on m1',
      reason: 'was not ready before its deadline',
      exitCode: null,
      lastProbe: 'GET :8080/healthz: 503 (database is not there)',
      logs: ['\u001b[32mlistening on :8080\u001b[0m', 'GET /healthz 503', 'cannot reach db:5432'],
    },
    { slot: 'web.1 on m2', reason: 'exited', exitCode: 137, lastProbe: null, logs: [] },
  ],
};

/** One of each kind of harm, in every text that a stranger may write. */
const BAD =
  '`|\\| @acme/ops #1 GH-2 deadbeef1 <img src=x onerror=alert(1)> --> </details> ![x](y) [x](https://evil.example) **b** :+1:\n```\n# \u202egnp.exe\u200b\u001b[2J';
const evil = planWith(5, [BAD]);

/** File name → what the comment says. */
export const EXAMPLES: Readonly<Record<string, CommentModel>> = {
  // The picture in the README is made of this one.
  everything: commentModel({ ...planned(everything), missing: ['approval'], preview: previewView(), history }),
  'first-deploy': commentModel(planned(first)),
  'update-in-place': commentModel(planned(inPlace)),
  'update-with-history': commentModel({ ...planned(update), history }),
  'values-of-env': commentModel({ ...planned(update), showEnv: true }),
  'recreate-with-downtime': commentModel({ ...planned(recreate), history }),
  'removal-wants-consent': commentModel({ ...planned(removal), missing: ['consent'] }),
  'namespace-removal': commentModel({ ...planned(gone), missing: ['consent'] }),
  'approval-missing': commentModel({ ...planned(approved), missing: ['approval'] }),
  'approval-given': commentModel({ ...planned(approved), given: [{ kind: 'approval', by: 'octavia' }] }),
  'another-plan-than-reviewed': commentModel({
    ...planned(approved),
    missing: ['approval'],
    reviewed: { plan: 'c'.repeat(64), head: HEAD, release: 40 },
    merged: { revision: BASE, deploy: null, note: 'production moved on while this waited.' },
  }),
  problems: commentModel({
    outcome: { kind: 'invalid' },
    problems: [
      problem({}),
      problem({ file: 'namespaces/shop #2 (eu)/web.toml', line: 3, path: 'services[1].template.image' }),
      problem({ file: 'slipway.toml', line: 0, path: '', message: 'two files say what production is' }),
    ],
  }),
  conflict: commentModel({
    outcome: { kind: 'conflict', files: ['namespaces/production.toml', 'slipway.toml'] },
  }),
  unclear: commentModel({
    outcome: { kind: 'unclear', why: 'The branch and main have 2 merge bases: merge main into the branch and push.' },
  }),
  unavailable: commentModel({ outcome: { kind: 'unavailable', why: 'The agent on m2 does not answer.' } }),
  refused: commentModel({
    ...planned(update),
    outcome: {
      kind: 'refused',
      failures: [
        { code: 'IMAGE_NOT_FOUND', service: 'web', message: 'registry.example/shop/web:1.6 is on no engine' },
        {
          code: 'NO_CAPACITY',
          service: 'api',
          message: 'no machine satisfies label disk=ssd; the machines are m1, m2',
        },
      ],
    },
  }),
  'no-changes': commentModel(planned(same)),
  'fork-pull-request': commentModel({
    ...planned(update),
    preview: previewView({ state: 'refused', message: 'Somebody with write access can ask for one.', urls: [] }),
    previewOnRequest: HEAD,
    notes: ['Images are looked up at ghcr.io/acme only.'],
  }),
  'preview-starting': commentModel({
    ...planned(update),
    preview: previewView({ state: 'starting', urls: [], release: null, message: 'phase 1 of 3, prepare' }),
  }),
  'preview-waits-for-image': commentModel({
    ...planned(update),
    preview: previewView({
      state: 'waiting-for-image',
      urls: [],
      release: null,
      message: 'registry.example/shop/web:pr-7 is not there yet',
    }),
  }),
  'preview-running': commentModel({ ...planned(update), preview: previewView() }),
  'preview-failed': commentModel({
    ...planned(update),
    preview: previewView({ state: 'failed', urls: [], message: 'web.0 on m1 exited with 1 before it was ready' }),
  }),
  'preview-removed': commentModel({
    ...planned(update),
    closed: true,
    history,
    preview: previewView({
      state: 'removed',
      message: 'Nothing of it is left: 3 containers, 1 network, 2 volumes and 4 records were looked for.',
    }),
  }),
  obstacles: commentModel({
    ...planned(update),
    obstacles: [
      'production is frozen by octavia until 2026-01-04T00:00:00.000Z: the weekend',
      'otto asked for changes',
    ],
  }),
  'merged-not-begun': commentModel({
    ...planned(update),
    merged: { revision: BASE, deploy: null, note: '' },
  }),
  deploying: commentModel({ ...planned(update), merged: mergedBy(update) }),
  live: commentModel({
    ...planned(update),
    given: [{ kind: 'approval', by: 'octavia' }],
    merged: mergedBy(update, { state: 'done', releases: [42], endedAt: '2026-01-03T10:00:09.000Z' }),
  }),
  'cleanup-pending': commentModel({
    ...planned(update),
    merged: mergedBy(update, { state: 'cleanup-pending', releases: [42], pending: ['m2'] }),
  }),
  failed: commentModel({ ...planned(update), merged: mergedBy(update, { state: 'failed', failure }) }),
  superseded: commentModel({ ...planned(update), merged: mergedBy(update, { state: 'superseded' }) }),
  closed: commentModel({ ...planned(update), closed: true, history }),
  'command-result': commentModel({
    ...planned(update),
    command: {
      by: 'octavia',
      command: '/slipway aprove 1a2b3c4d5e6f',
      ok: false,
      text: 'there is no command "aprove" (did you mean "approve"?)',
      at: '2026-01-03T09:00:00.000Z',
    },
  }),
  'command-help': commentModel({
    ...planned(update),
    command: {
      by: 'octavia',
      command: '/slipway help',
      ok: true,
      text: '/slipway plan         plan it again\n/slipway preview SHA  run it at that head',
      at: '2026-01-03T09:00:00.000Z',
    },
  }),
  'hostile-plan': commentModel({
    ...planned(evil),
    installation: BAD,
    baseBranch: BAD,
    problems: [{ file: BAD, line: 3, column: 1, path: BAD, message: BAD, hint: BAD }],
    missing: ['consent', 'approval'],
    given: [{ kind: 'approval', by: BAD }],
    obstacles: [BAD],
    notes: [BAD, `- ${BAD}`, `1. ${BAD}`],
    history: history.map((it) => ({ ...it, verdict: BAD })),
    command: { by: BAD, command: BAD, ok: false, text: BAD, at: '2026-01-03T09:00:00.000Z' },
    preview: previewView({
      urls: [
        { service: BAD, url: `https://web-pr-7.preview.acme.example/${BAD}` },
        { service: 'js', url: 'javascript:alert(1)' },
      ],
      message: BAD,
      forkedFrom: BAD,
    }),
    showEnv: true,
  }),
  'hostile-failure': commentModel({
    ...planned(update),
    merged: {
      ...mergedBy(update, {
        state: 'failed',
        actor: BAD,
        phases: [BAD, BAD],
        pending: [BAD],
        failure: {
          code: BAD,
          message: BAD,
          evidence: [{ slot: BAD, reason: BAD, exitCode: 1, lastProbe: BAD, logs: [BAD, '`````', '~~~'] }],
        },
      }),
      note: BAD,
    },
  }),
  'hostile-refusal': commentModel({
    outcome: { kind: 'refused', failures: [{ code: 'NO_CAPACITY', service: BAD, message: BAD }] },
  }),
  'hostile-conflict': commentModel({ outcome: { kind: 'conflict', files: [BAD] } }),
};

const many = Array.from({ length: 400 }, (_, index) => index);

/** More than fits where only 30,000 bytes may be used. */
export const HUGE: CommentModel = commentModel({
  ...planned(
    planOf({
      services: many
        .slice(20)
        .map((it) => web('1.5', { name: `web-${it}`, placement: { replicaCount: 2 }, routes: [] })),
      machines,
      released: live(many.slice(0, 300).map((it) => web('1.4', { name: `web-${it}`, routes: [] }))),
      approvalRequired: true,
    }),
  ),
  missing: ['approval'],
  history,
});
