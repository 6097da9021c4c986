/** Where our own programs and files lie, whether the sources run or a build of them, whose code is in other folders. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(import.meta.url);

/** Path of one of our programs, such as `agent/main`: the one of this build, or of the sources. */
export function programPath(name: string): string {
  return above(`${name}${HERE.endsWith('.ts') ? '.ts' : '.js'}`);
}

/** Path of a file or folder of the repository, such as `package.json`. */
export function repositoryPath(name: string): string {
  return join(dirname(above('package.json')), name);
}

/** Version of this build, and of the Node that it wants, as package.json says. */
export function ownVersions(): { readonly slipway: string; readonly node: string } {
  const { version, engines } = JSON.parse(readFileSync(repositoryPath('package.json'), 'utf8')) as {
    version: string;
    engines: { node: string };
  };
  return { slipway: version, node: engines.node };
}

/** The nearest one in the folders above this file. */
function above(name: string): string {
  for (let folder = dirname(HERE); ; folder = dirname(folder)) {
    const path = join(folder, name);
    if (existsSync(path)) return path;
    if (folder === dirname(folder)) throw new Error(`${name} is missing above ${HERE}: run \`npm run build\``);
  }
}
