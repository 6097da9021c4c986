import { expect, it } from 'vitest';
import { desiredDigest } from '../../../controller/manifest/resolve.ts';
import { load, settingsOf } from './fleet.ts';

const services = (job: boolean) => [
  { name: 'web', template: { image: 'shop:1' }, depends_on: job ? { fill: 'completed' } : {} },
  { name: 'fill', template: { image: 'shop:1' }, job },
];
const fleet = (seedJob: string, job = true) =>
  load(
    { 'staging.json': JSON.stringify({ namespace: 'staging', services: services(job) }) },
    settingsOf(`[previews]\nseed_job = "${seedJob}"\n`),
  );

it('takes the seed job out of every namespace, and nobody waits for it', () => {
  const { desired, seeds, problems } = fleet('fill');
  expect(problems).toEqual([]);
  expect(desired[0]?.services).toMatchObject([{ name: 'web', dependsOn: {} }]);
  expect(seeds.get('staging')).toMatchObject({ name: 'fill', job: true });
});

it('leaves fleets alone that have no seed job, or none of that name, or one that is no job', () => {
  const plain = fleet('');
  expect(desiredDigest(plain.desired[0]!)).toBe(desiredDigest(fleet('other').desired[0]!));
  expect(fleet('fill', false).desired[0]?.services).toHaveLength(2);
  expect(plain.seeds.size).toBe(0);
});

it('lets no namespace have the name under which the secrets of previews lie', () => {
  const { desired, invalid, problems } = load({ 'previews.json': '{"namespace":"previews","services":[]}' });
  expect(desired).toEqual([]);
  expect([...invalid]).toEqual(['previews']);
  expect(problems[0]?.message).toContain('no namespace may be called "previews"');
});
