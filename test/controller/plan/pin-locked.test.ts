import { expect, it } from 'vitest';
import { pinServices } from '../../../controller/plan/pin.ts';
import { desiredService, image } from '../../builders/service.ts';

it('a service runs the same spec whether a lock or its tag led to the image', () => {
  const pin = (service: ReturnType<typeof desiredService>) =>
    pinServices([service], { images: { web: image('d') }, secrets: {} }).pinned.get('web');
  const locked = pin(desiredService({ lockedImage: image('d') }));
  expect(locked).toEqual(pin(desiredService()));
  expect(locked?.spec).not.toHaveProperty('lockedImage');
});
