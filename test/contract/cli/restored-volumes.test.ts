/** Volumes of a restored installation, as the driver sees them: expected, not made. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createDirDriver } from '../../../agent/volume/dir-driver.ts';
import { expectVolumes } from '../../../cli/backup/volumes.ts';
import { Installation } from '../../../schemas/installation.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { release } from '../../builders/release.ts';

const installation = Installation.parse({
  id: '0123abcd',
  machine: 'm1',
  subnetIndex: 7,
  bridge: 'slip7',
  httpPort: 80,
  natsUrl: null,
  dockerSocket: '/var/run/docker.sock',
});
const log = [release([], { namespace: 'shop', volumes: [{ volume: 'data', machine: 'm1' }] })];
const spec = { name: 'data', scope: 'single', quotaBytes: null, mode: null, owner: null } as const;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-volumes-'));
});
afterEach(async () => await rm(root, { recursive: true, force: true }));

const driver = () => createDirDriver({ root, installation, log: silentLogger });

it('a volume whose data was not put back is never made empty by the next deploy', async () => {
  const expected = await expectVolumes({ root, installation, log });
  expect(expected).toEqual([{ namespace: 'shop', volume: 'data', path: join(root, 'shop/data'), present: false }]);
  await expect(driver().ensure('shop', spec)).rejects.toMatchObject({ code: 'VOLUME_FAILED' });
  expect(existsSync(join(root, 'shop/data'))).toBe(false);
});

it('data that was put back is the volume, and expecting it again changes nothing', async () => {
  await expectVolumes({ root, installation, log });
  await mkdir(join(root, 'shop/data'), { recursive: true });
  expect(await expectVolumes({ root, installation, log })).toMatchObject([{ present: true }]);
  expect(await driver().ensure('shop', spec)).toBe(join(root, 'shop/data'));
});
