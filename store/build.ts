/** Which build a program is of: Slipway's version and a digest of the one file that the program is. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { programPath, repositoryPath } from './own-files.ts';

const DIGEST_DIGITS = 12;

/** The version in package.json. */
export async function slipwayVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(repositoryPath('package.json'), 'utf8')) as { version: string };
  return version;
}

/** `<version>+<digest>` of a program such as `agent/main`; of sources, which are many files, only the first counts. */
export async function buildOf(program: string): Promise<string> {
  const digest = createHash('sha256').update(await readFile(programPath(program)));
  return `${await slipwayVersion()}+${digest.digest('hex').slice(0, DIGEST_DIGITS)}`;
}
