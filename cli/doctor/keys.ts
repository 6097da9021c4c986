/** Keys: there, for nobody else's eyes, and the list of who may give orders is signed and names this machine's operator. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Installation } from '../../schemas/installation.ts';
import { embeddedPaths } from '../../store/embedded/config.ts';
import { readKey } from '../../trust/keys.ts';
import { clusterKey, machineKeys } from '../../trust/secret-keys.ts';
import { trustedKeys, verifyTrustList } from '../../trust/trust-list.ts';
import type { InstallationDeps } from './deps.ts';
import { type Finding, fail, ok, reasonOf, warn } from './finding.ts';
import { isTooOpen } from './verdicts.ts';

/** Meant to be read by everybody. */
const PUBLIC = /\.pub$|^trust\.json$/;
const RESTORE = 'put it back from a backup of the keys folder before anything makes a new one';

export async function checkKeys({ paths, installation }: InstallationDeps): Promise<Finding[]> {
  return [...(await permissions(paths.keys, paths.nats)), await trust(paths.keys, installation)];
}

async function permissions(folder: string, natsFolder: string): Promise<Finding[]> {
  const names = await readdir(folder).catch(() => []);
  const { token, url } = embeddedPaths(natsFolder);
  const secret = [...names.filter((it) => !PUBLIC.test(it)).map((it) => join(folder, it)), token, url];
  const open: Finding[] = [];
  for (const path of [folder, ...secret]) {
    const found = await stat(path).catch(() => null);
    if (found === null || !isTooOpen(found.mode)) continue;
    const mode = (found.mode & 0o777).toString(8).padStart(4, '0');
    const wanted = found.isDirectory() ? '700' : '600';
    open.push(
      fail(
        'keys',
        `${path} has mode ${mode}: others can read it`,
        `\`chmod ${wanted} ${path}\`; whoever read it meanwhile may use it`,
      ),
    );
  }
  return open;
}

async function trust(folder: string, { id, machine }: Pick<Installation, 'id' | 'machine'>): Promise<Finding> {
  try {
    const operator = await readKey(`${folder}/operator.pem`);
    if (operator === null)
      return fail('keys', `${folder}/operator.pem is missing: nothing can be deployed from here`, RESTORE);
    // Without them every secret is lost; `up` would make new ones.
    await clusterKey(folder);
    const own = await machineKeys(folder);
    const root = (await readFile(`${folder}/root.pub`, 'utf8')).trim();
    const list = verifyTrustList(JSON.parse(await readFile(`${folder}/trust.json`, 'utf8')), root, id);
    const trusted = trustedKeys(list);
    if (!trusted.has(operator.keyId) || list.machines?.[machine] !== own.publicKey) {
      const next = '`slipway up --detach` writes it anew while root.pem is there';
      return fail('keys', `${folder}/trust.json does not name the keys of this machine`, next);
    }
    if ((await readKey(`${folder}/root.pem`)) === null) {
      return warn('keys', `${folder}/root.pem is missing: the list of trusted keys cannot be changed`, RESTORE);
    }
    return ok('keys', `${trusted.size} trusted, the list is signed`);
  } catch (error) {
    return fail('keys', reasonOf(error), RESTORE);
  }
}
