/** Which version of a secret each service gets, and what is wrong by name. */
import { describe, expect, it } from 'vitest';
import { pinSecrets } from '../../../controller/plan/pin-secrets.ts';
import type { SecretFacts } from '../../../schemas/secret.ts';
import { unpinned } from '../../builders/plan-input.ts';
import { image, serviceSpec } from '../../builders/service.ts';

const AT = '2026-01-01T00:00:00.000Z';
const facts = (name: string, more: Partial<SecretFacts> = {}): [string, SecretFacts] => [
  name,
  { namespace: 'production', name, version: 2, at: AT, by: 'cli/ops', sizeBytes: 5, isText: true, ...more },
];
const env = (text: string) => ({ template: { env: { KEY: text } } });

function pin(
  services: readonly ReturnType<typeof serviceSpec>[],
  known: readonly [string, SecretFacts][],
  args: { live?: readonly ReturnType<typeof serviceSpec>[]; fresh?: readonly string[] } = {},
) {
  return pinSecrets({
    namespace: 'production',
    services: services.map(unpinned),
    facts: new Map(known),
    released: new Map((args.live ?? []).map((it) => [it.name, it])),
    images: Object.fromEntries(services.map((it) => [it.name, it.template.image])),
    isFresh: (service) => args.fresh?.includes(service) ?? true,
  });
}

describe('pinSecrets', () => {
  it('gives each service the newest version of what environment and files name, and nothing to the others', () => {
    const mounts = [{ kind: 'secret' as const, secret: 'cert', target: '/cert' }];
    const web = serviceSpec({ template: { env: { A: 'x {{secret:db}} y', B: '{{secret:db}}' }, mounts } });
    const { secrets, failures } = pin(
      [web, serviceSpec({ name: 'plain' })],
      [facts('db'), facts('cert', { version: 7 })],
    );

    expect(failures).toEqual([]);
    expect(secrets).toEqual({ web: { cert: 7, db: 2 } });
  });

  it.each([
    ['is missing', [], /^secret db is not set: `slipway secret set production\/db`/],
    ['is empty', [facts('db', { sizeBytes: 0 })], /^secret db is empty/],
    ['is no text', [facts('db', { isText: false })], /^secret db is not text/],
  ] as const)('fails by name when one that the environment names %s', (_, known, message) => {
    const { failures } = pin([serviceSpec(env('{{secret:db}}'))], known);

    expect(failures.map((it) => it.code)).toEqual(['SECRET_MISSING']);
    expect(failures[0]?.message).toMatch(message);
  });

  it('mounts bytes that are no text', () => {
    const mounts = [{ kind: 'secret' as const, secret: 'db', target: '/db' }];
    expect(pin([serviceSpec({ template: { mounts } })], [facts('db', { isText: false })]).failures).toEqual([]);
  });

  it('leaves services that are not asked for at the version they have', () => {
    const [a, b] = ['a', 'b'].map((name) =>
      serviceSpec({ name, template: { ...env('{{secret:db}}').template, secrets: { db: 1 } } }),
    );
    if (a === undefined || b === undefined) throw new Error('two services');
    expect(pin([a, b], [facts('db')], { live: [a, b], fresh: ['b'] }).secrets).toEqual({ a: { db: 1 }, b: { db: 2 } });
  });

  it('does not run a finished job again for a new version alone, but gives it one with another image', () => {
    const job = (seed: string) =>
      serviceSpec({
        job: true,
        template: { ...env('{{secret:db}}').template, image: image(seed), secrets: { db: 1 } },
      });
    expect(pin([job('a')], [facts('db')], { live: [job('a')] }).secrets).toEqual({ web: { db: 1 } });
    expect(pin([job('b')], [facts('db')], { live: [job('a')] }).secrets).toEqual({ web: { db: 2 } });
  });
});
