/** Images: from the string of a manifest to what exactly runs, and that it is on this machine. */
import { isSlipwayError, SlipwayError } from '../schemas/errors.ts';
import type { ImageRef, ServiceSpec } from '../schemas/service.ts';
import { imageText } from '../schemas/service.ts';
import type { DiskGuard } from './disk-guard.ts';
import type { Credentials } from './docker/credentials.ts';
import { type ImageName, parseImageName } from './docker/image-ref.ts';
import type { Engine, EngineImage, EngineInfo, RegistryImage } from './docker/port.ts';

export interface Images {
  /** The image is on the machine and made for it. */
  ensure(image: ImageRef, imageName: string, progress: (text: string) => void, signal: AbortSignal): Promise<void>;
  /** What the string means now. `always` asks the registry first; `never` asks only the engine. */
  resolve(imageName: string, pullPolicy: ServiceSpec['pullPolicy'], signal: AbortSignal): Promise<ImageRef>;
}

export interface ImagesDeps {
  readonly engine: Pick<Engine, 'image' | 'pull' | 'distribution' | 'info'>;
  readonly credentials: Credentials;
  readonly disk: Pick<DiskGuard, 'withRoom'>;
  /** Called after each image that was pulled, before it is used. */
  readonly onPulled: (image: Extract<ImageRef, { repo: string }>) => Promise<void>;
}

export function createImages({ engine, credentials, disk, onPulled }: ImagesDeps): Images {
  let platform: EngineInfo | null = null;
  const here = async (signal: AbortSignal) => (platform ??= await engine.info(signal));

  async function present(image: ImageRef, imageName: string, signal: AbortSignal): Promise<boolean> {
    const found = await engine.image(imageText(image), signal);
    if (found === null) return false;
    checkPlatform(imageName, [found], await here(signal));
    return true;
  }

  async function local(name: ImageName, imageName: string, signal: AbortSignal): Promise<ImageRef | null> {
    const found = await engine.image(imageName, signal);
    if (found === null) return null;
    checkPlatform(imageName, [found], await here(signal));
    const digest = digestIn(found, name);
    return digest === null ? { localId: found.id, name: imageName } : { repo: name.repo, digest };
  }

  async function remote(name: ImageName, imageName: string, signal: AbortSignal): Promise<ImageRef> {
    const asked = await engine.distribution(imageName, await credentials(name.registry), signal);
    // Schema 1 manifests and some registries name no platform: the pull will tell.
    if (hasPlatforms(asked)) checkPlatform(imageName, asked.platforms, await here(signal));
    return { repo: name.repo, digest: asked.digest };
  }

  return {
    async ensure(image, imageName, progress, signal) {
      if (await present(image, imageName, signal)) return;
      if ('localId' in image) {
        throw new SlipwayError(
          'IMAGE_NOT_FOUND',
          `${imageName} (${image.localId.slice(0, 19)}) is not on this machine, and no registry has it`,
        );
      }
      const ref = imageText(image);
      progress(`pulling ${imageName}`);
      const auth = await credentials(parseImageName(ref).registry);
      await disk.withRoom(imageName, async () => {
        await engine.pull(ref, auth, (text) => progress(`pulling ${imageName}: ${text}`), signal);
      });
      await onPulled(image);
      if (!(await present(image, imageName, signal)))
        throw new SlipwayError('IMAGE_NOT_FOUND', `${imageName} was pulled, but the engine does not have it`);
    },

    async resolve(imageName, pullPolicy, signal) {
      const name = parseImageName(imageName);
      if (name.digest !== null) return { repo: name.repo, digest: name.digest };
      if (pullPolicy === 'always') {
        try {
          return await remote(name, imageName, signal);
        } catch (error) {
          // An image that was built here has no registry to ask.
          const found = isSlipwayError(error, 'IMAGE_NOT_FOUND', 'IMAGE_UNAUTHORIZED')
            ? await local(name, imageName, signal)
            : null;
          if (found === null || !('localId' in found)) throw error;
          return found;
        }
      }
      const found = await local(name, imageName, signal);
      if (found !== null) return found;
      if (pullPolicy === 'never')
        throw new SlipwayError(
          'IMAGE_NOT_FOUND',
          `${imageName} is not on this machine, and its pull policy is "never"`,
        );
      try {
        return await remote(name, imageName, signal);
      } catch (error) {
        // Most often a name that is misspelt: that it is not here either is half of the answer.
        if (!isSlipwayError(error, 'REGISTRY_UNAVAILABLE', 'IMAGE_NOT_FOUND', 'IMAGE_UNAUTHORIZED')) throw error;
        throw new SlipwayError(error.code, `${imageName} is not on this machine, and ${error.message}`, {}, error);
      }
    },
  };
}

function hasPlatforms(image: RegistryImage): boolean {
  return image.platforms.some((it) => it.os !== '' && it.architecture !== '');
}

/** @throws IMAGE_PLATFORM when none of them runs here. */
function checkPlatform(
  imageName: string,
  offered: readonly { readonly os: string; readonly architecture: string }[],
  machine: Pick<EngineInfo, 'os' | 'architecture'>,
): void {
  if (offered.some((it) => it.os === machine.os && it.architecture === machine.architecture)) return;
  const list = offered.map((it) => `${it.os}/${it.architecture}`).join(', ');
  throw new SlipwayError(
    'IMAGE_PLATFORM',
    `${imageName} exists for ${list}, but this machine is ${machine.os}/${machine.architecture}`,
  );
}

/** The digest under which the registry of this name has the image; null: it was never pulled from there. */
function digestIn(image: Pick<EngineImage, 'repoDigests'>, name: ImageName): string | null {
  const found = image.repoDigests.map(parseImageName).find((it) => it.repo === name.repo);
  return found?.digest ?? null;
}
