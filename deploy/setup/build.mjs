/** dist/: made from the sources, again only when a source, a package or the way of building changed. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runToEnd } from './run.mjs';

/** What decides about the result. */
const FOLDERS = ['schemas', 'trust', 'store', 'routing', 'controller', 'agent', 'cli', 'deploy'];
const FILES = ['tsconfig.json', 'package-lock.json'];

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
  const argv = [process.execPath, 'deploy/setup/bundle.mjs'];
  await runToEnd({ argv, shown: 'node deploy/setup/bundle.mjs', cwd: root, say, signal });
  await writeFile(stamp, wanted);
}

/**
 * One digest over the names and contents of everything that the build reads.
 *
 * @param {string} root
 */
async function digestOfSources(root) {
  const lists = await Promise.all(FOLDERS.map((it) => sourcesBelow(root, it)));
  const digest = createHash('sha256').update(process.version);
  for (const path of [...lists.flat(), ...FILES].toSorted()) {
    const text = await readFile(join(root, path));
    digest.update(`${path}\0${text.length}\0`).update(text);
  }
  return digest.digest('hex');
}

/** @param {string} root @param {string} folder @returns {Promise<string[]>} */
async function sourcesBelow(root, folder) {
  const names = await readdir(join(root, folder), { recursive: true });
  return names.filter((it) => /\.(ts|mjs)$/.test(it)).map((it) => join(folder, it));
}
