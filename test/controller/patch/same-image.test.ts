/** Another name for the image that is live is no change. */
import { expect, it } from 'vitest';
import { withSameImage } from '../../../controller/patch/same-image.ts';
import type { ImageRef } from '../../../schemas/service.ts';
import { unpinned } from '../../builders/plan-input.ts';
import { image, serviceSpec } from '../../builders/service.ts';

const id = (seed: string) => `sha256:${seed.repeat(64)}`;

function kept(before: ImageRef, now: ImageRef) {
  const spec = serviceSpec({ imageName: 'web:1', template: { image: before } });
  const desired = { namespace: 'shop', services: [{ ...unpinned(spec), imageName: 'web:2' }], volumes: [] };
  const result = withSameImage(desired, { web: now }, spec);
  return { name: result.desired.services[0]?.imageName, image: result.images['web'] };
}

it('keeps the reference that is live where the content is the same, and takes the new one where it is not', () => {
  const [a, b] = [image('a'), image('b')];
  expect(kept(a, image('a', 'mirror.example/web'))).toEqual({ name: 'web:1', image: a });
  expect(kept(a, b)).toEqual({ name: 'web:2', image: b });
  const local = { localId: id('c'), name: 'web:1' };
  expect(kept(local, { localId: id('c'), name: 'web:2' })).toEqual({ name: 'web:1', image: local });
  const other = { localId: id('d'), name: 'web:1' };
  expect(kept(local, other)).toEqual({ name: 'web:2', image: other });
  expect(kept(a, { localId: id('a'), name: 'web:1' })).toMatchObject({ name: 'web:2' });
});
