/** Images: what a string means here, and that it is here. */
import { expect, it } from 'vitest';
import type { EngineImage, RegistryImage } from '../../agent/docker/port.ts';
import { createImages } from '../../agent/images.ts';
import { SlipwayError } from '../../schemas/errors.ts';

const D1 = `sha256:${'1'.repeat(64)}`;
const D2 = `sha256:${'2'.repeat(64)}`;
const signal = new AbortController().signal;

function engineImage(overrides: Partial<EngineImage> = {}): EngineImage {
  return { id: D1, tags: [], repoDigests: [], os: 'linux', architecture: 'amd64', ...overrides };
}

function setup(local: Record<string, EngineImage>, registry: Record<string, RegistryImage | SlipwayError> = {}) {
  const pulled: string[] = [];
  const asked: (string | undefined)[] = [];
  const images = createImages({
    engine: {
      image: async (ref) => local[ref] ?? null,
      info: async () => ({
        version: '',
        os: 'linux',
        architecture: 'amd64',
        cpuMillicores: 1,
        memoryBytes: 1,
        rootDir: '',
        storageDriver: '',
      }),
      pull: async (ref, auth) => {
        asked.push(auth?.username);
        const found = registry[ref];
        if (found instanceof SlipwayError) throw found;
        local[ref] = engineImage();
      },
      distribution: async (ref) => {
        const found = registry[ref] ?? new SlipwayError('IMAGE_NOT_FOUND', `no registry has ${ref}`);
        if (found instanceof SlipwayError) throw found;
        return found;
      },
    },
    credentials: async (at) => (at === 'ghcr.io' ? { username: 'me', password: 'x', serveraddress: at } : null),
    disk: { withRoom: async (_, pull) => await pull() },
    onPulled: async ({ repo }) => void pulled.push(repo),
  });
  return { images, pulled, asked };
}

const amd = { digest: D2, platforms: [{ os: 'linux', architecture: 'amd64' }] };
const arm = { digest: D2, platforms: [{ os: 'linux', architecture: 'arm64' }] };

it('takes the digest of an image that was pulled from that name, and the id of one that only the engine has', async () => {
  const { images } = setup({
    'ghcr.io/a/b:1': engineImage({ repoDigests: [`other/x@${D2}`, `ghcr.io/a/b@${D1}`] }),
    'built:here': engineImage({ id: D2 }),
  });
  expect(await images.resolve('ghcr.io/a/b:1', 'if-not-present', signal)).toEqual({ repo: 'ghcr.io/a/b', digest: D1 });
  expect(await images.resolve('built:here', 'never', signal)).toEqual({ localId: D2, name: 'built:here' });
});

it('asks the registry for what is not here, and first of all with `always`', async () => {
  const { images } = setup(
    { 'r.io/x:1': engineImage({ repoDigests: [`r.io/x@${D1}`] }) },
    { 'r.io/x:1': amd, 'r.io/y': amd },
  );
  expect(await images.resolve('r.io/y', 'if-not-present', signal)).toEqual({ repo: 'r.io/y', digest: D2 });
  expect(await images.resolve('r.io/x:1', 'if-not-present', signal)).toEqual({ repo: 'r.io/x', digest: D1 });
  expect(await images.resolve('r.io/x:1', 'always', signal)).toEqual({ repo: 'r.io/x', digest: D2 });
});

it('keeps an image that was built here with `always`, but not a pulled one that the registry lost', async () => {
  const { images } = setup({
    'built:here': engineImage(),
    'r.io/x:1': engineImage({ repoDigests: [`r.io/x@${D1}`] }),
  });
  expect(await images.resolve('built:here', 'always', signal)).toMatchObject({ name: 'built:here' });
  await expect(images.resolve('r.io/x:1', 'always', signal)).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
});

it('says which platforms there are when none fits, here and in the registry', async () => {
  const { images } = setup({ here: engineImage({ architecture: 'arm64' }) }, { 'r.io/x': arm });
  const failure = { code: 'IMAGE_PLATFORM', message: expect.stringContaining('linux/arm64') };
  await expect(images.resolve('here', 'if-not-present', signal)).rejects.toMatchObject(failure);
  await expect(images.resolve('r.io/x', 'if-not-present', signal)).rejects.toMatchObject(failure);
});

it('does not ask a registry with `never`', async () => {
  const { images } = setup({}, { 'r.io/x': amd });
  await expect(images.resolve('r.io/x', 'never', signal)).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
});

it('pulls what is missing, with the credentials of its registry, and writes that down', async () => {
  const { images, pulled, asked } = setup({});
  const image = { repo: 'ghcr.io/a/b', digest: D1 };
  await images.ensure(image, 'ghcr.io/a/b:1', () => {}, signal);
  await images.ensure(image, 'ghcr.io/a/b:1', () => {}, signal);
  expect([pulled, asked]).toEqual([['ghcr.io/a/b'], ['me']]);
});

it('cannot pull an image that only another engine has', async () => {
  const ensure = setup({}).images.ensure({ localId: D1, name: 'built:here' }, 'built:here', () => {}, signal);
  await expect(ensure).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
});
