/** Keys: there, for nobody else's eyes, and the list of who may give orders is signed and names this machine's operator. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { embeddedPaths } from '../../store/embedded/config.ts';
import { readKey } from '../../trust/keys.ts';
import { verifyTrustList } from '../../trust/trust-list.ts';
import type { InstallationDeps } from './deps.ts';
import { type Finding, fail, ok, reasonOf, warn } from './finding.ts';
import { isTooOpen } from './verdicts.ts';

/** Meant to be read by everybody. */
const PUBLIC = /\.pub$|^trust\.json$/;
const RESTORE = 'put it back from a backup of the keys folder';

export async function checkKeys({ paths, installation }: InstallationDeps): Promise<Finding[]> {
  return [...(await permissions(paths.keys, paths.nats)), await trust(paths.keys, installation.id)];
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
        `\`chmod ${wanted} ${path}\`; who read it before may give orders: rotate it when in doubt`,
      ),
    );
  }
  return open;
}

async function trust(folder: string, installation: string): Promise<Finding> {
  try {
    const operator = await readKey(`${folder}/operator.pem`);
    if (operator === null)
      return fail('keys', `${folder}/operator.pem is missing: nothing can be deployed from here`, RESTORE);
    const root = (await readFile(`${folder}/root.pub`, 'utf8')).trim();
    const list = JSON.parse(await readFile(`${folder}/trust.json`, 'utf8')) as unknown;
    const trusted = verifyTrustList(list, root, installation);
    if (!trusted.has(operator.keyId)) {
      return fail(
        'keys',
        `${folder}/trust.json does not name the operator key of this machine`,
        '`slipway up --detach` writes it anew while root.pem is there',
      );
    }
    if ((await readKey(`${folder}/root.pem`)) === null) {
      return warn('keys', `${folder}/root.pem is missing: the list of trusted keys cannot be changed`, RESTORE);
    }
    return ok('keys', `${trusted.size} trusted, the list is signed`);
  } catch (error) {
    return fail('keys', reasonOf(error), RESTORE);
  }
}
