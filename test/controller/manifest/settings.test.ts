/** slipway.toml. */
import { expect, it } from 'vitest';
import { parseSettings } from '../../../controller/manifest/settings.ts';
import { problemText } from '../../../schemas/problem.ts';
import { settingsOf } from './fleet.ts';

const COMPLETE = `
[source]
branch = "release/1"
manifests = "deploy/fleet"
allow_rewind = true
[env]
REGION = "eu"
[images]
registries = ["ghcr.io/acme"]
[policy]
bind_mounts = ["infra"]
privileged = ["infra"]
host_network = ["infra"]
cap_add = ["infra"]
pid_host = ["infra"]
[approvals.production]
required = true
approvers = ["@acme/ops"]
self = true
[roles]
deploy = ["write"]
approve = ["admin", "maintain"]
preview = ["write"]
[previews]
source = "staging"
name = "pr-{number}"
host = "{service}-pr-{number}.preview.acme.dev"
label = "preview"
max = 3
ttl = "2d"
seed_job = "seed"
volumes = { db = "branch" }
[promotion]
landing = "push"
[prune]
max_percent = 20
[gateway]
http_port = 8080
https_port = 8443
[tls]
email = "ops@acme.dev"
directory = "https://ca.acme.dev/directory"
preview_certificate = "preview"
[comments]
show_env = true
`;

it('reads every setting', () => {
  expect(settingsOf(COMPLETE)).toEqual({
    source: { branch: 'release/1', manifests: 'deploy/fleet', allowRewind: true },
    env: { REGION: 'eu' },
    images: { registries: ['ghcr.io/acme'] },
    policy: {
      bindMounts: ['infra'],
      privileged: ['infra'],
      hostNetwork: ['infra'],
      capAdd: ['infra'],
      pidHost: ['infra'],
    },
    approvals: { production: { required: true, approvers: ['@acme/ops'], self: true } },
    roles: { deploy: ['write'], approve: ['admin', 'maintain'], preview: ['write'] },
    previews: {
      source: 'staging',
      name: 'pr-{number}',
      host: '{service}-pr-{number}.preview.acme.dev',
      label: 'preview',
      max: 3,
      maxServices: 50,
      ttlMs: 172_800_000,
      seedJob: 'seed',
      volumes: { db: 'branch' },
    },
    promotion: { landing: 'push' },
    prune: { maxPercent: 20 },
    gateway: { httpPort: 8080, httpsPort: 8443 },
    tls: { email: 'ops@acme.dev', directory: 'https://ca.acme.dev/directory', previewCertificate: 'preview' },
    comments: { showEnv: true },
  });
});

it('has a default for everything', () => {
  const defaults = settingsOf(null);
  expect(settingsOf('')).toEqual(defaults);
  expect(defaults).toMatchObject({
    source: { branch: 'main', manifests: 'namespaces', allowRewind: false },
    env: {},
    policy: { bindMounts: [], privileged: [], hostNetwork: [], capAdd: [], pidHost: [] },
    prune: { maxPercent: 50 },
    gateway: { httpPort: 80, httpsPort: 443 },
  });
});

it.each([
  ['[source]\nbranch = "-x"', 'slipway.toml:2:10 source.branch: "-x" is not the name of a branch'],
  ['[source]\nbranch = "a..b"', '"a..b" is not the name of a branch'],
  ['[source]\nmanifests = "../up"', '"../up" is not a folder of the repository'],
  ['[source]\nmanifests = "/abs"', '"/abs" is not a folder of the repository'],
  ['[source]\nbrnch = "x"', 'slipway.toml:2:1 source.brnch: unknown key "brnch" (did you mean "branch"?)'],
  ['[polcy]\n', 'slipway.toml:1:2 polcy: unknown key "polcy" (did you mean "policy"?)'],
  [
    '[policy]\nprivileged = "production"',
    'slipway.toml:2:14 policy.privileged: wanted a list, not the text "production"',
  ],
  ['[prune]\nmax_percent = 101', 'slipway.toml:2:15 prune.max_percent: the number 101 is more than 100'],
  ['[env]\nA = 1', 'slipway.toml:2:5 env.A: wanted text, not the number 1 (write "1", in quotes)'],
  ['[gateway]\nhttp_port = 443', 'slipway.toml:1:2 gateway: http and https cannot both have port 443'],
  ['[previews]\nname = "preview"', 'does not have "{number}" in it'],
  ['[previews]\nttl = "99d"', '"99d" is more than 24 days'],
  ['[roles]\ndeploy = ["owner"]', 'slipway.toml:2:11 roles.deploy[0]: "owner" is not one of'],
  ['x', 'slipway.toml:1:1: not valid TOML'],
])('says what is wrong with %j', (text, expected) => {
  const { settings, problems } = parseSettings(text);
  expect(settings).toBeNull();
  expect(problems.map(problemText).join('\n')).toContain(expected);
});
