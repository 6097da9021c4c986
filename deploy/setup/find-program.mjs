/** Where a program lies on this machine. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Where Debian keeps administrators' programs; not on the PATH of everybody else. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin'];

/**
 * The path of a program, looked for as root's PATH would; undefined: not installed.
 *
 * @param {string} program
 * @param {NodeJS.ProcessEnv} env
 */
export async function findProgram(program, env) {
  for (const folder of [...(env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS]) {
    const path = join(folder, program);
    if (folder !== '' && (await isExecutable(path))) return path;
  }
  return undefined;
}

/** @param {string} path */
async function isExecutable(path) {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
