import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyLock, lockedImage, lockOf, repositoryOf } from '../../../controller/manifest/lock.ts';
import { readDocument } from '../../../controller/manifest/read.ts';
import { differencesOf } from '../../../controller/promotion/differences.ts';
import { lockText } from '../../../controller/promotion/lock-text.ts';
import { selectImages } from '../../../controller/promotion/select.ts';
import { type LockEntry, ManifestLock } from '../../../schemas/manifest.ts';
import type { DesiredService, ServiceSpec } from '../../../schemas/service.ts';
import { desiredService, image, serviceSpec } from '../../builders/service.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;
const WEB = 'registry.example/web:1';

const byName = (specs: readonly ServiceSpec[]) => new Map(specs.map((it) => [it.name, it]));
const select = (
  proved: readonly ServiceSpec[],
  services: readonly DesiredService[],
  locked: readonly LockEntry[] = [],
) =>
  selectImages({
    proved: byName(proved),
    desired: { namespace: 'production', services: [...services], volumes: [] },
    locked,
  });

const entry = (over: Partial<LockEntry> = {}): LockEntry => ({ service: 'web', image: WEB, digest: DIGEST, ...over });

describe('a promotion', () => {
  it('takes over the digest of a service whose image string is the same', () => {
    const made = select([serviceSpec({ imageName: WEB })], [desiredService({ imageName: WEB })]);
    expect(made).toMatchObject({ entries: [entry()], notPromoted: [], dropped: [], same: false });
  });

  it('marks an image that only engines have, and pins it by its own digest', () => {
    const local = { localId: DIGEST, name: 'app:1' };
    const made = select(
      [serviceSpec({ imageName: 'app:1', template: { image: local } })],
      [desiredService({ imageName: 'app:1' })],
    );
    expect(made.entries).toEqual([{ service: 'web', image: 'app:1', digest: DIGEST, local: true }]);
    expect(made.entries.map(lockedImage)).toEqual([local]);
  });

  it.each<[string, ServiceSpec[], DesiredService[], RegExp]>([
    [
      'another image string',
      [serviceSpec({ imageName: WEB })],
      [desiredService({ imageName: `${WEB}.1` })],
      /the manifest says/,
    ],
    ['a service that the source does not run', [], [desiredService({ imageName: WEB })], /does not run it/],
    ['a service that only the source has', [serviceSpec({ imageName: WEB })], [], /do not have it/],
    [
      'a digest that the manifest names',
      [serviceSpec({ imageName: `${WEB}@${DIGEST}` })],
      [desiredService({ imageName: `${WEB}@${DIGEST}` })],
      /names the digest itself/,
    ],
    [
      'an image of another repository than its string',
      [serviceSpec({ imageName: WEB, template: { image: image('a', 'evil.example/web') } })],
      [desiredService({ imageName: WEB })],
      /its image is called evil/,
    ],
  ])('leaves out %s, and says why', (_, proved, desired, why) => {
    const made = select(proved, desired);
    expect(made.entries).toEqual([]);
    expect(made.notPromoted).toEqual([{ service: 'web', why: expect.stringMatching(why) as string }]);
  });

  it('keeps entries that still count, and takes out the others', () => {
    const made = select(
      [serviceSpec({ imageName: WEB })],
      [desiredService({ imageName: WEB }), desiredService({ name: 'api', imageName: 'api:1' })],
      [entry({ digest: OTHER }), entry({ service: 'api', image: 'api:1' }), entry({ service: 'old', image: 'old:1' })],
    );
    expect(made.entries.map((it) => [it.service, it.digest])).toEqual([
      ['api', DIGEST],
      ['web', DIGEST],
    ]);
    expect(made.dropped.map((it) => it.service)).toEqual(['old']);
    expect(made.promoted[0]?.before?.digest).toBe(OTHER);
  });

  it('is the same when the lock says all of it already, and only then', () => {
    const args = [[serviceSpec({ imageName: WEB })], [desiredService({ imageName: WEB })]] as const;
    expect(select(...args, [entry()]).same).toBe(true);
    expect(select(...args, [entry({ digest: OTHER })]).same).toBe(false);
    expect(select(...args, [entry(), entry({ service: 'old', image: 'old:1' })]).same).toBe(false);
    expect(select(...args, [entry({ local: true })]).same).toBe(false);
  });
});

describe('a lock file', () => {
  const ENTRY = fc.record({
    service: fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?$/),
    image: fc.stringMatching(
      /^[a-z0-9]{1,8}(\.[a-z]{2,3}(:[1-9][0-9]{0,3})?)?(\/[a-z0-9]{1,8}){1,2}:[A-Za-z0-9_][\w.-]{0,9}$/,
    ),
    digest: fc.stringMatching(/^sha256:[0-9a-f]{64}$/),
    local: fc.boolean(),
  });

  it('is read back as what it was written of', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(ENTRY, { selector: (it) => it.service, minLength: 1 }),
        fc.integer({ min: 1, max: 9_999 }),
        (all, n) => {
          const text = lockText({ namespace: 'pr-7', n }, 'production', all);
          const read = readDocument({ path: 'x.lock.toml', bytes: Buffer.from(text) });
          if (!read.ok) throw new Error(JSON.stringify(read.problems));
          const lock = lockOf('x.lock.toml', ManifestLock.parse(read.document.value));
          expect(lock.promotedFrom).toEqual({ namespace: 'pr-7', n });
          expect(lock.entries.map((it) => ({ ...it, local: it.local === true }))).toEqual(all);
        },
      ),
    );
  });

  it('says who made it from what', () => {
    expect(lockText({ namespace: 'pr-7', n: 3 }, 'production', [entry()])).toContain(
      '# Written by `slipway promote`: production takes over the image digests of pr-7@3.',
    );
  });

  it('changes nothing of a namespace without entries that count', () => {
    const desired = { namespace: 'production', services: [desiredService({ imageName: WEB })], volumes: [] };
    expect(applyLock(desired, [entry({ image: 'other:1' })]).desired).toEqual(desired);
    expect(applyLock(desired, [entry()]).desired.services[0]?.lockedImage).toEqual(image());
  });
});

it.each([
  ['nginx', 'nginx'],
  ['docker.io/library/nginx:1.27', 'nginx'],
  ['127.0.0.1:5000/app', '127.0.0.1:5000/app'],
  ['localhost:5000/app:1', 'localhost:5000/app'],
  [`ghcr.io/acme/web:1.4@${DIGEST}`, 'ghcr.io/acme/web'],
])('the repository of %s is %s, as engines write it', (name, repo) => {
  expect(repositoryOf(name)).toBe(repo);
});

it('lists what is set differently and not carried along: variables, and secrets by version', () => {
  const from = serviceSpec({ template: { env: { MODE: 'test', KEY: '{{secret:key}}' }, secrets: { key: 3 } } });
  const to = serviceSpec({
    template: { env: { MODE: 'live', KEY: '{{secret:key}}' }, secrets: { key: 9 }, image: image('b') },
  });
  const found = differencesOf({ source: byName([from]), destination: byName([to]), services: ['web'] });
  expect(found).toEqual([
    {
      service: 'web',
      fields: [
        { path: 'env.MODE', before: '"test"', after: '"live"' },
        { path: 'secrets.key', before: 'version 3', after: 'version 9' },
      ],
    },
  ]);
});
