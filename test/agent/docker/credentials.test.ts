/** Credentials as `docker login` and its helpers leave them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createCredentials, fromEntry, fromHelper } from '../../../agent/docker/credentials.ts';
import { silentLogger } from '../../../schemas/logger.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-docker-config-'));
});
afterEach(() => rm(folder, { recursive: true }));

const base64 = (text: string) => Buffer.from(text).toString('base64');

async function read(
  config: object | string,
  registry: string,
  runHelper?: (helper: string, at: string) => Promise<string>,
) {
  await writeFile(join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  const env = { DOCKER_CONFIG: folder };
  return await createCredentials({ env, log: silentLogger, ...(runHelper === undefined ? {} : { runHelper }) })(
    registry,
  );
}

it('reads auths, with colons in the password', async () => {
  expect(await read({ auths: { 'ghcr.io': { auth: base64('me:a:b') } } }, 'ghcr.io')).toEqual({
    username: 'me',
    password: 'a:b',
    serveraddress: 'ghcr.io',
  });
});

it('finds Docker Hub under the key that it has there', async () => {
  const config = { auths: { 'https://index.docker.io/v1/': { auth: base64('me:secret') } } };
  expect(await read(config, 'docker.io')).toMatchObject({ username: 'me' });
});

it('asks the helper of the registry before the store of all, and falls back to auths', async () => {
  const asked: string[] = [];
  const config = { credsStore: 'all', credHelpers: { 'ghcr.io': 'one' }, auths: { 'x.io': { auth: base64('a:b') } } };
  const helper = async (name: string, at: string) => {
    asked.push(`${name} ${at}`);
    if (name === 'all') throw new Error('credentials not found');
    return JSON.stringify({ Username: 'u', Secret: 's' });
  };
  expect(await read(config, 'ghcr.io', helper)).toMatchObject({ username: 'u', password: 's' });
  expect(await read(config, 'x.io', helper)).toMatchObject({ username: 'a', password: 'b' });
  expect(asked).toEqual(['one ghcr.io', 'all x.io']);
});

it('runs a real helper by its name, with the registry on its standard input', async () => {
  const path = join(folder, 'docker-credential-test');
  await writeFile(path, '#!/bin/sh\nread at\nprintf \'{"Username":"%s","Secret":"%s"}\' "$1" "$at"\n', { mode: 0o755 });
  const before = process.env['PATH'];
  process.env['PATH'] = `${folder}:${before}`;
  try {
    expect(await read({ credHelpers: { 'ghcr.io': 'test' } }, 'ghcr.io')).toMatchObject({
      username: 'get',
      password: 'ghcr.io',
    });
  } finally {
    process.env['PATH'] = before;
  }
});

it('never runs a helper whose name is a path', async () => {
  const helper = () => Promise.reject(new Error('was run'));
  expect(await read({ credHelpers: { 'ghcr.io': '../evil' } }, 'ghcr.io', helper)).toBe(null);
});

it('has none without a file, with a broken one, and for other registries', async () => {
  expect(await read('{', 'ghcr.io')).toBe(null);
  expect(await read({ auths: {} }, 'ghcr.io')).toBe(null);
  await rm(join(folder, 'config.json'));
  expect(await createCredentials({ env: { DOCKER_CONFIG: folder }, log: silentLogger })('ghcr.io')).toBe(null);
});

it('passes identity tokens on as such', () => {
  expect(fromHelper('{"Username":"<token>","Secret":"t"}', 'x')).toEqual({ identitytoken: 't', serveraddress: 'x' });
  expect(fromEntry({ identitytoken: 't', auth: base64('a:') }, 'x')).toEqual({
    identitytoken: 't',
    serveraddress: 'x',
  });
});
