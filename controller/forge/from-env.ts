/** The forge that the environment's variables speak of. What is half said is refused when the program starts. */
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SlipwayError } from '../../schemas/errors.ts';
import type { Logger } from '../../schemas/logger.ts';
import { Duration } from '../../schemas/manifest-values.ts';
import { durationMs, MAX_DURATION_MS } from '../manifest/quantities.ts';
import { githubAddress, isGithubCom } from './address.ts';
import type { Credentials } from './credentials.ts';
import { createGithub, type GithubArgs } from './github/github.ts';
import type { Forge } from './port.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface FromEnvArgs {
  readonly env: Env;
  /** Of the tracked repository. */
  readonly location: string;
  readonly clock: GithubArgs['clock'];
  readonly log: Logger;
}

export interface ConfiguredForge {
  readonly forge: Forge;
  /** For git over https; SLIPWAY_GIT_TOKEN where that is set. @throws SOURCE_UNAVAILABLE */
  readonly gitToken: () => Promise<string>;
  /** Between two polls, as SLIPWAY_FORGE_POLL says; null: as is usual. */
  readonly pollMs: number | null;
}

const TOKEN_TIMEOUT_MS = 60_000;
const LEAST_POLL_MS = 100;

/** Variables that only a forge has a use for. */
const OURS = [
  'SLIPWAY_FORGE_TOKEN',
  'SLIPWAY_FORGE_API',
  'SLIPWAY_GITHUB_APP_ID',
  'SLIPWAY_GITHUB_APP_KEY_FILE',
  'SLIPWAY_GITHUB_INSTALLATION',
] as const;

/** null: pull requests are not looked at. @throws USAGE that names the variable which is missing or wrong */
export function forgeFromEnv({ env, location, clock, log }: FromEnvArgs): ConfiguredForge | null {
  const asked = valueOf(env, 'SLIPWAY_FORGE');
  if (asked !== null && asked !== 'github' && asked !== 'none') {
    throw usage('SLIPWAY_FORGE has to be "github" or "none"');
  }
  if (asked === 'none') return null;
  if (asked === null && !isGithubCom(location)) {
    const set = OURS.find((it) => valueOf(env, it) !== null);
    if (set === undefined) return null;
    throw usage(
      `${set} is set, but the repository is not at github.com: say SLIPWAY_FORGE=github or SLIPWAY_FORGE=none`,
    );
  }
  const credentials = credentialsFrom(env);
  if (credentials === null) {
    if (asked === 'github' || valueOf(env, 'SLIPWAY_FORGE_API') !== null) {
      throw usage('there are no credentials for GitHub: set SLIPWAY_FORGE_TOKEN, or SLIPWAY_GITHUB_APP_ID and its key');
    }
    log.info({}, 'pull requests are not looked at: set SLIPWAY_FORGE_TOKEN to have them planned');
    return null;
  }
  const { cloud, ...address } = githubAddress(location, valueOf(env, 'SLIPWAY_FORGE_API'));
  const forge = createGithub({ ...address, credentials, clock, log, throttle: cloud });
  const own = valueOf(env, 'SLIPWAY_GIT_TOKEN');
  const gitToken = async () => {
    if (own !== null) return own;
    try {
      return await forge.gitToken(AbortSignal.timeout(TOKEN_TIMEOUT_MS));
    } catch (error) {
      const why = error instanceof Error ? error.message : 'unknown';
      throw new SlipwayError('SOURCE_UNAVAILABLE', `There is no token for git: ${why}`, {}, error);
    }
  };
  return { forge, gitToken, pollMs: pollMsOf(env) };
}

/** @throws USAGE */
function pollMsOf(env: Env): number | null {
  const text = valueOf(env, 'SLIPWAY_FORGE_POLL');
  if (text === null) return null;
  const ms = Duration.safeParse(text).success ? durationMs(text) : 0;
  if (ms < LEAST_POLL_MS || ms > MAX_DURATION_MS) throw usage('SLIPWAY_FORGE_POLL has to be a duration such as 30s');
  return ms;
}

/** null: none are given. @throws USAGE when they are half given, or both kinds are */
function credentialsFrom(env: Env): Credentials | null {
  const token = valueOf(env, 'SLIPWAY_FORGE_TOKEN');
  const appId = valueOf(env, 'SLIPWAY_GITHUB_APP_ID');
  const keyFile = valueOf(env, 'SLIPWAY_GITHUB_APP_KEY_FILE');
  const installation = valueOf(env, 'SLIPWAY_GITHUB_INSTALLATION');
  if (appId === null && keyFile === null && installation === null) {
    const used = token ?? valueOf(env, 'SLIPWAY_GIT_TOKEN');
    if (used === null) return null;
    const name = token === null ? 'SLIPWAY_GIT_TOKEN' : 'SLIPWAY_FORGE_TOKEN';
    if (!/^[\x21-\x7e]+$/.test(used)) throw usage(`${name} holds characters that no token has`);
    return { kind: 'token', token: () => used };
  }
  if (token !== null) throw usage('set either SLIPWAY_FORGE_TOKEN or the variables of a GitHub App, not both');
  if (appId === null) throw usage('SLIPWAY_GITHUB_APP_ID is missing: the number or client id of the GitHub App');
  if (keyFile === null)
    throw usage('SLIPWAY_GITHUB_APP_KEY_FILE is missing: the path of the private key (PEM) of the App');
  if (!/^[\w.-]{1,100}$/.test(appId)) throw usage('SLIPWAY_GITHUB_APP_ID is not the number or client id of an App');
  if (installation !== null && !/^[1-9]\d{0,14}$/.test(installation)) {
    throw usage('SLIPWAY_GITHUB_INSTALLATION is not the number of an installation');
  }
  const key = readKey(keyFile);
  const installationId = installation === null ? null : Number(installation);
  return { kind: 'app', appId, privateKey: () => key, installationId };
}

/** As PKCS#8, which every way of signing takes; GitHub gives PKCS#1. */
function readKey(path: string): string {
  try {
    const key = createPrivateKey(readFileSync(path));
    if (key.asymmetricKeyType !== 'rsa') throw new Error('not an RSA key');
    return key.export({ type: 'pkcs8', format: 'pem' }).toString();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR' ? code : 'no private RSA key in PEM';
    throw usage(`SLIPWAY_GITHUB_APP_KEY_FILE (${path}) cannot be used: ${why}`);
  }
}

function valueOf(env: Env, name: string): string | null {
  const value = env[name]?.trim();
  return value === undefined || value === '' ? null : value;
}

function usage(message: string): SlipwayError {
  return new SlipwayError('USAGE', message);
}
