/** pull: the image is on the machine. */
import type { Images } from '../images.ts';
import type { Handler } from './handler.ts';

export function pullStep({ images }: { images: Pick<Images, 'ensure'> }): Handler<'pull'> {
  return async ({ image, imageName }, { progress, signal }) => {
    await images.ensure(image, imageName, progress, signal);
    return {};
  };
}
