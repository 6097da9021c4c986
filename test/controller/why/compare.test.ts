/** Git's side of a service against what is live. */
import { expect, it } from 'vitest';
import type { FleetManifests } from '../../../controller/fleet-manifests.ts';
import { parseSettings } from '../../../controller/manifest/settings.ts';
import { compareWithGit } from '../../../controller/why/compare.ts';
import type { DesiredService } from '../../../schemas/service.ts';
import { unpinned } from '../../builders/plan-input.ts';
import { image, serviceSpec } from '../../builders/service.ts';

const before = serviceSpec({ template: { env: { VERSION: '1' }, image: image('a') } });

function compare(services: readonly DesiredService[] | null, over: object = {}, fleet: Partial<FleetManifests> = {}) {
  const desired = services === null ? [] : [{ namespace: 'production', services: [...services], volumes: [] }];
  const { settings } = parseSettings(null);
  const all = {
    revision: '1'.repeat(40),
    settings,
    desired,
    seeds: new Map(),
    invalid: new Set<string>(),
    problems: [],
    notices: [],
  };
  const args = { namespace: 'production', service: 'web', before, managedByGit: true, ...over };
  return compareWithGit({ ...args, fleet: { ...all, ...fleet } });
}

it('says the same of the same, whatever digest the tag has now', () => {
  expect(compare([unpinned(before)])).toMatchObject({ kind: 'same', fields: [] });
});

it('does not take a version of a secret, which a plan pins, for something that git says', () => {
  const env = { WORD: '{{secret:word}}' };
  const live = serviceSpec({ template: { env, secrets: { word: 3 } } });
  expect(compare([unpinned(live)], { before: live })).toMatchObject({ kind: 'same', fields: [] });
});

it('names each field that differs, an image by its name', () => {
  const after = serviceSpec({ imageName: 'registry.example/web:2', template: { env: { VERSION: '2' } } });
  expect(compare([unpinned(after)])).toMatchObject({
    kind: 'differs',
    fields: [
      { path: 'env.VERSION', before: '"1"', after: '"2"' },
      { path: 'image', before: 'registry.example/web:1', after: 'registry.example/web:2' },
    ],
  });
});

it('tells what only one side has', () => {
  expect(compare([unpinned(before)], { before: null })).toMatchObject({ kind: 'new' });
  expect(compare([])).toMatchObject({ kind: 'gone' });
  expect(compare([], { before: null })).toMatchObject({ kind: 'same' });
  expect(compare(null)).toMatchObject({ kind: 'gone', desiredDigest: null });
});

it('a namespace that was deployed by hand, and that git does not have, is not missing in git', () => {
  expect(compare(null, { managedByGit: false })).toMatchObject({ kind: 'elsewhere' });
});

it('a revision that cannot be used says so, and not that something is gone', () => {
  const problems = [{ file: 'namespaces/production.toml', line: 3, column: 1, path: '', message: 'no' }];
  const invalid = { kind: 'invalid', problems: ['namespaces/production.toml:3:1: no'] };
  expect(compare(null, {}, { invalid: new Set(['production']), problems })).toMatchObject(invalid);
  expect(compare(null, {}, { settings: null, problems })).toMatchObject(invalid);
});
