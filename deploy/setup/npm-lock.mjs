/** Whether node_modules holds what package-lock.json lists. Pure: compares npm's two lock files. */

/**
 * @typedef {object} LockFile
 * @property {Record<string, { version?: string, optional?: boolean, devOptional?: boolean, peer?: boolean }>} packages
 */

/**
 * True when every package of the wanted lock file is installed in its version.
 *
 * Optional ones may be absent: binaries for other platforms never get installed.
 *
 * @param {LockFile} wanted package-lock.json
 * @param {LockFile} installed node_modules/.package-lock.json, which npm writes last
 */
export function holdsEveryPackage(wanted, installed) {
  return Object.entries(wanted.packages).every(([path, { version, optional, devOptional }]) => {
    if (path === '') return true;
    const there = installed.packages[path];
    if (there === undefined) return optional === true || devOptional === true;
    return there.version === version;
  });
}
