import { expect, it } from 'vitest';
import { modesOf } from '../../../cli/branch/modes.ts';

it('reads modes of all and of single services and volumes', () => {
  const options = { serviceMode: 'skip', service: ['web=fork'], volumeMode: 'fresh', volume: ['db=branch'] };
  expect(modesOf(options)).toEqual({
    service: 'skip',
    services: { web: 'fork' },
    volume: 'fresh',
    volumes: { db: 'branch' },
  });
  expect(modesOf({})).toEqual({ service: 'fork', services: {}, volume: null, volumes: {} });
});

it.each([
  [{ service: ['web=share'] }, 'there is no mode share; there are fork and skip'],
  [{ volume: ['db=clone'] }, 'there is no mode clone; there are fresh and branch'],
  [{ service: ['web'] }, '--service web is not NAME=MODE'],
])('refuses %j by name', (options, why) => {
  expect(() => modesOf(options)).toThrow(why);
});
