/** The gateway's files: written whole and durably, and put back when HAProxy does not take them. */
import { readFile } from 'node:fs/promises';
import { writeDurable } from '../../store/durable-file.ts';
import type { GatewayPaths } from './paths.ts';
import { checkConfig } from './process.ts';
import type { Rendered } from './render.ts';
import { type GatewayState, readState, writeState } from './state.ts';

/** What the files hold; null: there is none. */
export interface FileContents {
  readonly config: string | null;
  readonly routes: string | null;
  readonly state: GatewayState | null;
}

/** The files as they are now, to be put back later. */
export async function readFiles(paths: GatewayPaths): Promise<FileContents> {
  const [config, routes, state] = await Promise.all([read(paths.config), read(paths.routes), readState(paths.state)]);
  return { config, routes, state };
}

/** The files hold this. A HAProxy that starts now serves it; files that are equal already are not touched. */
export async function writeFiles(paths: GatewayPaths, contents: FileContents): Promise<void> {
  const now = await readFiles(paths);
  if (contents.routes !== null && contents.routes !== now.routes) await writeDurable(paths.routes, contents.routes);
  if (contents.config !== null && contents.config !== now.config) await writeDurable(paths.config, contents.config);
  if (contents.state !== null && JSON.stringify(contents.state) !== JSON.stringify(now.state)) {
    await writeState(paths.state, contents.state);
  }
}

/** HAProxy finds the configuration valid. @throws GATEWAY_FAILED, SETUP_FAILED */
export async function checkRendered(binary: string, paths: GatewayPaths, rendered: Rendered): Promise<void> {
  await writeDurable(paths.candidate, rendered.config);
  // The configuration names the map file, so one must exist.
  if ((await read(paths.routes)) === null) await writeDurable(paths.routes, rendered.routes);
  await checkConfig(binary, paths.candidate);
}

async function read(path: string): Promise<string | null> {
  return await readFile(path, 'utf8').catch(() => null);
}
