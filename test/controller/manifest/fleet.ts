/** Fleet repositories in memory for the tests of this room: a valid manifest by default, problems as text. */
import { type Loaded, loadNamespaces } from '../../../controller/manifest/load.ts';
import type { ManifestFile } from '../../../controller/manifest/read.ts';
import { parseSettings } from '../../../controller/manifest/settings.ts';
import { problemText } from '../../../schemas/problem.ts';
import type { Desired } from '../../../schemas/service.ts';
import type { Settings } from '../../../schemas/settings.ts';

/** The settings of a text; the defaults without one. */
export function settingsOf(text: string | null = null): Settings {
  const { settings, problems } = parseSettings(text);
  if (settings === null) throw new Error(problems.map(problemText).join('\n'));
  return settings;
}

export function fileOf(path: string, content: string | Uint8Array): ManifestFile {
  return { path, bytes: typeof content === 'string' ? new TextEncoder().encode(content) : content };
}

/** Loads files given by their path below `namespaces/`. */
export function load(files: Readonly<Record<string, string | Uint8Array>>, settings = settingsOf()): Loaded {
  const list = Object.entries(files).map(([path, content]) => fileOf(`namespaces/${path}`, content));
  return loadNamespaces(list, settings);
}

/** The problems of files, as text without `namespaces/`. */
export function problemsOf(files: Readonly<Record<string, string | Uint8Array>>, settings = settingsOf()): string[] {
  return load(files, settings).problems.map((it) => problemText(it).replaceAll('namespaces/', ''));
}

/** A service in its shortest valid form, with whatever else is given. */
export function service(more: object = {}): Record<string, unknown> {
  return { name: 'web', template: { image: 'shop:1' }, ...more };
}

/** A manifest as an object, in JSON. */
export function manifest(services: readonly object[] = [service()], more: object = {}): string {
  return JSON.stringify({ namespace: 'production', services, ...more });
}

/** The one namespace of a manifest that has no problems. */
export function desiredOf(text: string, settings = settingsOf()): Desired {
  const { desired, problems } = load({ 'production.json': text }, settings);
  const [first] = desired;
  if (first === undefined) throw new Error(problems.map(problemText).join('\n'));
  return first;
}
