/** pull: the image is on the machine. */
import { imageText } from '../../schemas/service.ts';
import type { Images } from '../images.ts';
import type { WantedImages } from '../wanted-images.ts';
import type { Handler } from './handler.ts';

export interface PullDeps {
  readonly images: Pick<Images, 'ensure'>;
  readonly wanted: Pick<WantedImages, 'add'>;
}

export function pullStep({ images, wanted }: PullDeps): Handler<'pull'> {
  return async ({ image, imageName }, { namespace, deploy, progress, signal }) => {
    wanted.add(namespace, deploy, imageText(image));
    await images.ensure(image, imageName, progress, signal);
    return {};
  };
}
