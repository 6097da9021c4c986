/** dist/: made from the sources by tsc, again only when a source, the compiler or its settings changed. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runToEnd } from './run.mjs';

/** What decides about the result besides the sources. */
const SETTINGS = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];

/**
 * Returns when dist/ fits the sources.
 *
 * @param {{ root: string, say: (line: string) => void, signal: AbortSignal }} given
 */
export async function build({ root, say, signal }) {
  const stamp = join(root, 'dist/.built-from');
  const wanted = await digestOfSources(root);
  if ((await readFile(stamp, 'utf8').catch(() => '')) === wanted) return;
  // Gone before the first file changes: a build that is cut off is never taken for a finished one.
  await rm(stamp, { force: true });
  const argv = [process.execPath, 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'];
  await runToEnd({ argv, shown: 'tsc -p tsconfig.build.json', cwd: root, say, signal });
  await writeFile(stamp, wanted);
}

/**
 * One digest over the names and contents of everything that the build reads.
 *
 * @param {string} root
 */
export async function digestOfSources(root) {
  /** @type {{ include: string[] }} */
  const { include } = JSON.parse(await readFile(join(root, 'tsconfig.build.json'), 'utf8'));
  const lists = await Promise.all([...include, 'deploy'].map((it) => sourcesBelow(root, it)));
  const digest = createHash('sha256').update(process.version);
  for (const path of [...new Set([...lists.flat(), ...SETTINGS])].toSorted()) {
    const text = await readFile(join(root, path));
    digest.update(`${path}\0${text.length}\0`).update(text);
  }
  return digest.digest('hex');
}

/** @param {string} root @param {string} folder @returns {Promise<string[]>} */
async function sourcesBelow(root, folder) {
  const names = await readdir(join(root, folder), { recursive: true }).catch(() => []);
  return names.filter((it) => it.endsWith('.ts')).map((it) => join(folder, it));
}
