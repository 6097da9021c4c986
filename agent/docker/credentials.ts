/** Registry credentials from Docker's own configuration: `auths`, `credHelpers` and `credsStore` of config.json. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../schemas/logger.ts';
import type { RegistryAuth } from './port.ts';

/** The key that Docker Hub has had in config.json since before it had other registries. */
const HUB_KEY = 'https://index.docker.io/v1/';
const HELPER_TIMEOUT_MS = 10_000;
const HELPER_NAME = /^[a-z0-9][a-z0-9._-]*$/;

interface DockerConfig {
  auths?: Record<string, { auth?: string; username?: string; password?: string; identitytoken?: string }>;
  credHelpers?: Record<string, string>;
  credsStore?: string;
}

export type Credentials = (registry: string) => Promise<RegistryAuth | null>;

/** Reads the file at each question, so that `docker login` counts at once. null: none, the registry may be public. */
export function createCredentials(deps: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  readonly runHelper?: (helper: string, registry: string) => Promise<string>;
}): Credentials {
  const folder = deps.env['DOCKER_CONFIG'] ?? join(deps.env['HOME'] ?? '/root', '.docker');
  const runHelper = deps.runHelper ?? run;

  async function config(): Promise<DockerConfig> {
    try {
      return JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as DockerConfig;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        deps.log.warn({ folder, reason: (error as Error).name }, "Docker's config.json cannot be read");
      return {};
    }
  }

  return async (registry) => {
    const { auths = {}, credHelpers = {}, credsStore } = await config();
    const key = registry === 'docker.io' ? HUB_KEY : registry;
    const helper = credHelpers[registry] ?? credHelpers[key] ?? credsStore;
    if (helper !== undefined && HELPER_NAME.test(helper)) {
      try {
        const found = fromHelper(await runHelper(helper, key), key);
        if (found !== null) return found;
      } catch (error) {
        // The helper's own words may hold what it was asked for.
        deps.log.warn({ helper, registry, reason: (error as Error).name }, 'the credential helper gave nothing');
      }
    }
    const entry = auths[key] ?? auths[registry] ?? auths[`https://${registry}`] ?? auths[`https://${registry}/v1/`];
    return entry === undefined ? null : fromEntry(entry, key);
  };
}

/** What a helper prints for `get` (docker-credential-helpers, README). A `<token>` user means an identity token. */
export function fromHelper(text: string, serveraddress: string): RegistryAuth | null {
  const { Username = '', Secret = '' } = JSON.parse(text) as { Username?: string; Secret?: string };
  if (Secret === '') return null;
  if (Username === '<token>') return { identitytoken: Secret, serveraddress };
  return { username: Username, password: Secret, serveraddress };
}

/** `auth` is base64 of `user:password`; the password may hold colons. */
export function fromEntry(
  entry: NonNullable<DockerConfig['auths']>[string],
  serveraddress: string,
): RegistryAuth | null {
  if (entry.identitytoken !== undefined && entry.identitytoken !== '')
    return { identitytoken: entry.identitytoken, serveraddress };
  if (entry.auth !== undefined && entry.auth !== '') {
    const text = Buffer.from(entry.auth, 'base64').toString('utf8');
    const colon = text.indexOf(':');
    if (colon < 1) return null;
    return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, ''), serveraddress };
  }
  if (entry.username === undefined || entry.password === undefined) return null;
  return { username: entry.username, password: entry.password, serveraddress };
}

function run(helper: string, registry: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      `docker-credential-${helper}`,
      ['get'],
      { timeout: HELPER_TIMEOUT_MS, maxBuffer: 1 << 20 },
      (error, stdout) => (error === null ? resolve(stdout) : reject(error)),
    );
    child.stdin?.on('error', () => {});
    child.stdin?.end(registry);
  });
}
