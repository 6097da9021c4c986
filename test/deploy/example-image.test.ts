/** The example image is made from files of this machine alone. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { exampleDockerfile, exampleTag, writeExampleContext } from '../../deploy/example/image.ts';

it('pulls nothing', () => {
  expect(exampleDockerfile('1').match(/^FROM .*$/gm)).toEqual(['FROM scratch']);
});

it('gives the build every file that the recipe copies', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-example-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const { context, src } = await writeExampleContext({ folder, version: '2', busyboxPath: process.execPath });
  const copied = [...exampleDockerfile('2').matchAll(/^COPY (\S+)/gm)].map((row) => row[1]);
  expect(new Set(src)).toEqual(new Set(['Dockerfile', ...copied]));
  for (const file of src) expect((await readFile(join(context, file))).length).toBeGreaterThan(0);
});

it('differs between versions in the version only', () => {
  expect(exampleDockerfile('2')).toBe(exampleDockerfile('1').replace('VERSION=1', 'VERSION=2'));
  expect(exampleTag('2')).toBe('slipway-example:2');
});
