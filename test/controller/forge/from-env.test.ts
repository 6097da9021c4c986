/** Which forge the environment speaks of, and what it says of credentials that do not fit. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../controller/execute/clock.ts';
import { githubAddress } from '../../../controller/forge/address.ts';
import { forgeFromEnv } from '../../../controller/forge/from-env.ts';
import { silentLogger } from '../../../schemas/logger.ts';

const AT_GITHUB = 'https://github.com/acme/fleet.git';
const ELSEWHERE = 'https://git.example.com/acme/fleet';
const TOKEN = 'ghp_plantedplantedplanted0000000000';

const folder = mkdtempSync(join(tmpdir(), 'slipway-forge-'));
const keyFile = join(folder, 'app.pem');
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
writeFileSync(keyFile, privateKey.export({ type: 'pkcs1', format: 'pem' }));
const noKey = join(folder, 'no.pem');
writeFileSync(noKey, 'hello');

function configured(env: Record<string, string>, location = AT_GITHUB) {
  return forgeFromEnv({ env, location, clock: systemClock, log: silentLogger });
}

describe('the forge', () => {
  it.each([
    ['a token at github.com', { SLIPWAY_FORGE_TOKEN: TOKEN }, AT_GITHUB],
    ["git's token at github.com", { SLIPWAY_GIT_TOKEN: TOKEN }, AT_GITHUB],
    ['an App', { SLIPWAY_GITHUB_APP_ID: '1', SLIPWAY_GITHUB_APP_KEY_FILE: keyFile }, AT_GITHUB],
    ['a server that is said to be GitHub', { SLIPWAY_FORGE: 'github', SLIPWAY_FORGE_TOKEN: TOKEN }, ELSEWHERE],
  ])('is GitHub for %s', (_, env, location) => {
    expect(configured(env, location)).not.toBeNull();
  });

  it.each([
    ['no credentials are given', {}, AT_GITHUB],
    ['it is said so', { SLIPWAY_FORGE: 'none', SLIPWAY_FORGE_TOKEN: TOKEN }, AT_GITHUB],
    ['another server is not said to be GitHub', { SLIPWAY_GIT_TOKEN: TOKEN }, ELSEWHERE],
    ['the repository is a folder', { SLIPWAY_GIT_TOKEN: TOKEN }, '/srv/fleet'],
    ['variables are empty', { SLIPWAY_FORGE: '', SLIPWAY_FORGE_TOKEN: ' ' }, AT_GITHUB],
  ])('is none where %s', (_, env, location) => {
    expect(configured(env, location)).toBeNull();
  });

  const app = { SLIPWAY_GITHUB_APP_ID: '1', SLIPWAY_GITHUB_APP_KEY_FILE: keyFile };
  it.each([
    [{ SLIPWAY_FORGE: 'gitlab' }, AT_GITHUB, /SLIPWAY_FORGE has to be/],
    [{ SLIPWAY_FORGE: 'github' }, AT_GITHUB, /set SLIPWAY_FORGE_TOKEN/],
    [{ SLIPWAY_FORGE: 'github', SLIPWAY_FORGE_TOKEN: TOKEN }, '/srv/fleet', /folder/],
    [{ SLIPWAY_FORGE: 'github', SLIPWAY_FORGE_TOKEN: TOKEN }, 'https://github.com/acme', /OWNER\/REPOSITORY/],
    [{ SLIPWAY_FORGE: 'github', SLIPWAY_FORGE_TOKEN: TOKEN }, 'https://github.com/a/b/c', /OWNER\/REPOSITORY/],
    [{ SLIPWAY_FORGE_TOKEN: TOKEN }, ELSEWHERE, /SLIPWAY_FORGE_TOKEN is set, but .* SLIPWAY_FORGE=github/],
    [{ SLIPWAY_GITHUB_APP_ID: '1' }, AT_GITHUB, /SLIPWAY_GITHUB_APP_KEY_FILE is missing/],
    [{ SLIPWAY_GITHUB_APP_KEY_FILE: keyFile }, AT_GITHUB, /SLIPWAY_GITHUB_APP_ID is missing/],
    [{ SLIPWAY_GITHUB_INSTALLATION: '1' }, AT_GITHUB, /SLIPWAY_GITHUB_APP_ID is missing/],
    [{ ...app, SLIPWAY_FORGE_TOKEN: TOKEN }, AT_GITHUB, /either SLIPWAY_FORGE_TOKEN or/],
    [{ ...app, SLIPWAY_GITHUB_APP_KEY_FILE: noKey }, AT_GITHUB, /SLIPWAY_GITHUB_APP_KEY_FILE .* no private RSA key/],
    [{ ...app, SLIPWAY_GITHUB_APP_KEY_FILE: '/nowhere' }, AT_GITHUB, /SLIPWAY_GITHUB_APP_KEY_FILE .* ENOENT/],
    [{ ...app, SLIPWAY_GITHUB_INSTALLATION: 'x' }, AT_GITHUB, /SLIPWAY_GITHUB_INSTALLATION/],
    [{ SLIPWAY_FORGE_TOKEN: 'two words' }, AT_GITHUB, /SLIPWAY_FORGE_TOKEN holds/],
    [{ SLIPWAY_FORGE_TOKEN: TOKEN, SLIPWAY_FORGE_API: 'http://ghe.example.com' }, AT_GITHUB, /https:/],
    [{ SLIPWAY_FORGE_TOKEN: TOKEN, SLIPWAY_FORGE_API: 'https://me:pass@ghe.example.com' }, AT_GITHUB, /plain address/],
  ])('%j is refused, by name', (env, location, message) => {
    expect(() => configured(env as Record<string, string>, location)).toThrow(message);
    expect(() => configured(env as Record<string, string>, location)).not.toThrow(TOKEN);
  });

  it('shows no credential when it is inspected', () => {
    const both = [configured({ SLIPWAY_FORGE_TOKEN: TOKEN }), configured(app)];
    const shown = inspect(both, { depth: 20, showHidden: true });
    expect(shown).not.toContain(TOKEN);
    expect(shown).not.toContain('PRIVATE KEY');
  });

  it("gives git the token that is git's own, else its own", async () => {
    const forge = configured({ SLIPWAY_FORGE_TOKEN: TOKEN });
    expect(await forge?.gitToken()).toBe(TOKEN);
    expect(await configured({ ...app, SLIPWAY_GIT_TOKEN: 'for-git' })?.gitToken()).toBe('for-git');
  });
});

describe('the address of the API', () => {
  it.each([
    [AT_GITHUB, null, 'https://api.github.com', true],
    ['https://acme.ghe.com/acme/fleet', null, 'https://api.acme.ghe.com', true],
    ['https://ghe.example.com:8443/acme/fleet/', null, 'https://ghe.example.com:8443/api/v3', false],
    [AT_GITHUB, 'http://127.0.0.1:8080/api/v3/', 'http://127.0.0.1:8080/api/v3', false],
  ])('of %s with %s is %s', (location, api, apiUrl, cloud) => {
    expect(githubAddress(location, api)).toEqual({ apiUrl, cloud, owner: 'acme', repo: 'fleet' });
  });

  it.each(['https://github.com/../fleet', 'https://github.com/acme/..', 'https://github.com/acme/%2e%2e'])(
    '%s names no repository',
    (location) => {
      expect(() => githubAddress(location, null)).toThrow(/OWNER/);
    },
  );
});
