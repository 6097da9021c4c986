/** Volumes as folders on a real file system, also after crashes in between. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createDirDriver } from '../../../agent/volume/dir-driver.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import type { VolumeSpec } from '../../../schemas/service.ts';

const run = promisify(execFile);
let base: string;
let root: string;

beforeEach(async () => {
  base = await mkdtemp(`${tmpdir()}/slipway-volumes-`);
  root = `${base}/volumes`;
});

afterEach(async () => {
  await rm(base, { recursive: true, force: true });
});

function driver(id = '0123abcd') {
  return createDirDriver({ root, installation: { id }, log: silentLogger });
}

function spec(change: Partial<VolumeSpec> = {}): VolumeSpec {
  return { name: 'data', scope: 'single', quotaBytes: null, mode: null, owner: null, ...change };
}

const recordPath = () => `${root}/.volumes/production/data.json`;

/** The record as a crash left it. */
async function leaveRecord(state: 'creating' | 'destroying'): Promise<void> {
  await mkdir(`${root}/.volumes/production`, { recursive: true });
  const record = { version: 1, installation: '0123abcd', namespace: 'production', volume: 'data', state };
  await writeFile(recordPath(), JSON.stringify(record));
}

const refused = (message: RegExp) => ({ code: 'VOLUME_FAILED', message: expect.stringMatching(message) });

it('makes a folder with mode and owner as asked, whatever the umask', async () => {
  const before = process.umask(0o077);
  const path = await driver().ensure('production', spec({ mode: 0o2775, owner: { uid: 1234, gid: 5678 } }));
  process.umask(before);
  expect(path).toBe(`${root}/production/data`);
  const { mode, uid, gid } = await stat(path);
  expect([mode & 0o7777, uid, gid]).toEqual([0o2775, 1234, 5678]);
});

it('keeps data, mode and owner of a volume that exists', async () => {
  const path = await driver().ensure('production', spec());
  await writeFile(`${path}/file`, 'precious');
  await chmod(path, 0o700);
  expect(await driver().ensure('production', spec({ mode: 0o777, owner: { uid: 1, gid: 1 } }))).toBe(path);
  expect(await readFile(`${path}/file`, 'utf8')).toBe('precious');
  const { mode, uid } = await stat(path);
  expect([mode & 0o777, uid]).toEqual([0o700, 0]);
});

it('makes one volume when many ask for it at once', async () => {
  const one = driver();
  const paths = await Promise.all(Array.from({ length: 10 }, () => one.ensure('production', spec())));
  await Promise.all(['a', 'b', 'c'].map((name) => one.ensure(name, spec())));
  expect(new Set(paths).size).toBe(1);
  expect((await one.list()).map((it) => it.namespace)).toEqual(['a', 'b', 'c', 'production']);
});

it('finishes a volume whose making was cut short, with mode and owner as asked', async () => {
  await leaveRecord('creating');
  await mkdir(`${root}/.volumes/.new/production.data`, { recursive: true });
  const path = await driver().ensure('production', spec({ mode: 0o770, owner: { uid: 7, gid: 7 } }));
  const { mode, uid } = await stat(path);
  expect([mode & 0o777, uid]).toEqual([0o770, 7]);
  expect(await readdir(`${root}/.volumes/.new`)).toEqual([]);
});

it('takes a folder that was at its place when its maker crashed', async () => {
  await leaveRecord('creating');
  await mkdir(`${root}/production/data`, { recursive: true });
  await writeFile(`${root}/production/data/file`, '');
  await driver().ensure('production', spec());
  expect(await readdir(`${root}/production/data`)).toEqual(['file']);
  expect(await readFile(recordPath(), 'utf8')).toContain('"ready"');
});

it('refuses a link, a file, and a folder that somebody else made', async () => {
  await mkdir(`${root}/production`, { recursive: true });
  await mkdir(`${base}/elsewhere`);
  await symlink(`${base}/elsewhere`, `${root}/production/data`);
  await expect(driver().ensure('production', spec())).rejects.toMatchObject(refused(/not a folder/));
  await rm(`${root}/production/data`);
  await writeFile(`${root}/production/data`, '');
  await expect(driver().ensure('production', spec())).rejects.toMatchObject(refused(/not a folder/));
  await rm(`${root}/production/data`);
  await mkdir(`${root}/production/data`);
  await expect(driver().ensure('production', spec())).rejects.toMatchObject(refused(/not made by this installation/));
  await expect(driver().destroy('production', 'data')).rejects.toMatchObject(refused(/not made by this installation/));
  expect(await driver().list()).toEqual([]);
});

it('refuses a link in place of the namespace, and in place of a volume that it made', async () => {
  await mkdir(`${base}/elsewhere/data`, { recursive: true });
  await mkdir(root);
  await symlink(`${base}/elsewhere`, `${root}/production`);
  await expect(driver().ensure('production', spec())).rejects.toMatchObject(refused(/not a folder/));
  await rm(`${root}/production`);
  const path = await driver().ensure('production', spec());
  await rm(path, { recursive: true });
  await symlink(`${base}/elsewhere`, path);
  await expect(driver().ensure('production', spec())).rejects.toMatchObject(refused(/not a folder/));
  await expect(driver().destroy('production', 'data')).rejects.toMatchObject(refused(/not a folder/));
  expect(existsSync(`${base}/elsewhere/data`)).toBe(true);
});

it('says that data is gone instead of giving an empty folder', async () => {
  const path = await driver().ensure('production', spec());
  await rm(path, { recursive: true });
  await expect(driver().ensure('production', spec())).rejects.toMatchObject(refused(/is gone/));
  expect(existsSync(path)).toBe(false);
});

it('leaves volumes of another installation alone', async () => {
  await driver('ffffffff').ensure('production', spec());
  expect(await driver().list()).toEqual([]);
  await expect(driver().ensure('production', spec())).rejects.toMatchObject(refused(/installation ffffffff/));
  await expect(driver().destroy('production', 'data')).rejects.toMatchObject(refused(/installation ffffffff/));
  expect(await driver('ffffffff').list()).toHaveLength(1);
});

it('destroys a volume without following links in it, and leaves nothing of it behind', async () => {
  const one = driver();
  const path = await one.ensure('production', spec());
  const kept = await one.ensure('production', spec({ name: 'kept' }));
  await mkdir(`${base}/elsewhere`);
  await writeFile(`${base}/elsewhere/file`, '');
  await symlink(`${base}/elsewhere`, `${path}/link`);
  await mkdir(`${path}/deep/er`, { recursive: true });
  await one.destroy('production', 'data');
  await one.destroy('production', 'data');
  expect(existsSync(`${base}/elsewhere/file`)).toBe(true);
  expect(await one.list()).toEqual([{ namespace: 'production', volume: 'kept', path: kept }]);
  expect(await readdir(`${root}/.volumes/.trash`)).toEqual([]);
  await one.destroy('production', 'kept');
  expect(await readdir(root)).toEqual(['.volumes']);
});

it.each(['before', 'after'])('finishes a destruction that a crash cut short %s the rename', async (when) => {
  await driver().ensure('production', spec());
  await leaveRecord('destroying');
  if (when === 'after') await run('mv', ['--', `${root}/production/data`, `${root}/.volumes/.trash/production.data`]);
  expect(await driver().list()).toHaveLength(1);
  await driver().destroy('production', 'data');
  expect(await driver().list()).toEqual([]);
  expect(await readdir(`${root}/.volumes/.trash`)).toEqual([]);
});

it('gives a new, empty volume when one that was being destroyed is wanted again', async () => {
  const path = await driver().ensure('production', spec());
  await writeFile(`${path}/old`, '');
  await leaveRecord('destroying');
  expect(await readdir(await driver().ensure('production', spec()))).toEqual([]);
});

it('is destroyed in the name of a deploy only while that one alone has asked for it', async () => {
  const [maker, other] = ['000000000000000a', '000000000000000b'];
  const one = driver();
  const path = await one.ensure('production', spec(), maker);
  await one.ensure('production', spec(), maker);
  expect(await one.list()).toEqual([{ namespace: 'production', volume: 'data', path, deploy: maker }]);
  expect(await one.destroy('production', 'data', other)).toBe(false);
  expect(existsSync(path)).toBe(true);
  expect(await one.destroy('production', 'data', maker)).toBe(true);
  expect(existsSync(path)).toBe(false);

  await one.ensure('production', spec(), maker);
  await one.ensure('production', spec(), other);
  for (const it of [maker, other]) expect(await one.destroy('production', 'data', it)).toBe(false);
  expect(await one.list()).toEqual([{ namespace: 'production', volume: 'data', path }]);
});

it('of a volume that was there before records said who made it, no deploy is the maker', async () => {
  const path = await driver().ensure('production', spec());
  await driver().ensure('production', spec(), '000000000000000a');
  expect(await driver().destroy('production', 'data', '000000000000000a')).toBe(false);
  expect(existsSync(path)).toBe(true);
});

it('does not destroy what is mounted in a volume', async () => {
  const path = await driver().ensure('production', spec());
  await mkdir(`${path}/disk`);
  await run('mount', ['-t', 'tmpfs', 'none', `${path}/disk`]);
  try {
    await writeFile(`${path}/disk/file`, '');
    await expect(driver().destroy('production', 'data')).rejects.toMatchObject(refused(/mount point/));
    expect(existsSync(`${path}/disk/file`)).toBe(true);
  } finally {
    await run('umount', [`${path}/disk`]);
  }
});

it('refuses a quota, which a folder cannot have', async () => {
  await expect(driver().ensure('production', spec({ quotaBytes: 1 }))).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
  expect(driver().capabilities.quota).toBe(false);
});

it('does not guess about a damaged record', async () => {
  await driver().ensure('production', spec());
  await writeFile(recordPath(), '{"version":1,');
  await expect(driver().ensure('production', spec())).rejects.toMatchObject(refused(/damaged/));
  await expect(driver().destroy('production', 'data')).rejects.toMatchObject(refused(/damaged/));
});

it('keeps folders of the driver closed to others', async () => {
  await driver().ensure('production', spec());
  for (const folder of [root, `${root}/production`, `${root}/.volumes`]) {
    expect((await lstat(folder)).mode & 0o077).toBe(0);
  }
});
