/** Secret files on a real tmpfs: exact bytes, nothing on the disk, nobody else gets in, nothing stays. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSecretFiles, removeSecretFiles } from '../../../agent/secrets/files.ts';
import { serviceSpec } from '../../builders/service.ts';

const run = promisify(execFile);
let root: string;
let folder: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'slipway-secret-files-'));
  folder = join(root, 'files');
});
afterAll(async () => {
  await removeSecretFiles(folder);
  await rm(root, { recursive: true, force: true });
});

it('writes exact bytes to memory, once, and only root gets there', async () => {
  const files = createSecretFiles({ folder });
  const value = Buffer.from([0, 255, 10, 13]);
  const path = await files.ensure('production', 'cert', 3, value);

  expect((await readFile(path)).equals(value)).toBe(true);
  expect((await statfs(folder)).type).toBe(0x01021994);
  const before = await stat(path);
  expect(await files.ensure('production', 'cert', 3, value)).toBe(path);
  expect((await stat(path)).ino).toBe(before.ino);
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups', '--', 'cat', path];
  await expect(run('setpriv', nobody)).rejects.toThrow(/Permission denied/);
  await run('umount', [folder]);
  expect(await readdir(folder)).toEqual([]);
});

it('keeps only what specs pin, and leaves no mount behind', async () => {
  const files = createSecretFiles({ folder });
  for (const version of [1, 2]) await files.ensure('production', 'cert', version, Buffer.from(`v${version}`));
  await files.keepOnly(new Map([['production', [serviceSpec({ template: { secrets: { cert: 2 } } })]]]));
  expect(await readdir(join(folder, 'production'))).toEqual(['cert.2']);

  await removeSecretFiles(folder);
  expect(existsSync(folder)).toBe(false);
  expect(await readFile('/proc/mounts', 'utf8')).not.toContain(folder);
  await removeSecretFiles(folder);
});
