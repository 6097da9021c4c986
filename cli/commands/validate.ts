/** `slipway validate`: manifests checked offline, every problem at once. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { groupFiles } from '../../controller/manifest/files.ts';
import { loadManifest, loadNamespaces } from '../../controller/manifest/load.ts';
import { parseSettings, SETTINGS_PATH } from '../../controller/manifest/settings.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { type Problem, problemText } from '../../schemas/problem.ts';
import { EXIT } from '../exit-codes.ts';
import { printable } from '../output.ts';
import type { CommandContext } from '../run-command.ts';
import { type Variables, variablesOf, withVariables } from '../variables.ts';

interface Verdict {
  readonly namespaces: readonly string[];
  readonly problems: readonly Problem[];
  readonly notices: readonly Problem[];
}

export async function validate(context: CommandContext): Promise<number> {
  const { output } = context;
  const paths = context.args.length === 0 ? ['.'] : context.args;
  const verdicts = await Promise.all(paths.map((it) => check(it, variablesOf(context))));
  const problems = verdicts.flatMap((it) => it.problems);
  const notices = verdicts.flatMap((it) => it.notices);
  const namespaces = [...new Set(verdicts.flatMap((it) => it.namespaces))].toSorted();
  output.result({ valid: problems.length === 0, namespaces, problems, notices }, () => {
    for (const it of notices) output.note(printable(`note: ${problemText(it)}`));
    for (const it of problems) output.line(printable(problemText(it)));
    if (problems.length === 0) output.line(`valid: ${namespaces.join(', ') || 'no namespaces'}`);
    else output.line(`${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`);
  });
  return problems.length === 0 ? EXIT.ok : EXIT.failed;
}

async function check(path: string, variables: Variables): Promise<Verdict> {
  const info = await stat(path).catch((error: unknown) => {
    throw new SlipwayError('USAGE', `${path} cannot be read: there is no such file or folder`, {}, error);
  });
  if (!info.isDirectory()) return await checkFile(path, variables);
  const root = await fleetRoot(resolve(path));
  if (root === null)
    throw new SlipwayError(
      'USAGE',
      `${path} is no fleet repository: neither it nor a folder above has ${SETTINGS_PATH}; name a manifest instead`,
    );
  const { settings: own, problems, notices } = await settingsIn(root);
  if (own === null) return { namespaces: [], problems, notices };
  const settings = withVariables(own, variables);
  const files = await filesBelow(root, settings.source.manifests);
  const loaded = loadNamespaces(files, settings);
  const asked = within(root, resolve(path));
  return {
    namespaces: loaded.desired.map((it) => it.namespace),
    problems: loaded.problems.filter((it) => asked(it.file)),
    notices: [...notices, ...loaded.notices.filter((it) => asked(it.file))],
  };
}

/** One manifest; with a fleet repository around it, as the namespace that its name says. */
async function checkFile(path: string, variables: Variables): Promise<Verdict> {
  const root = await fleetRoot(dirname(resolve(path)));
  const { settings: own, problems, notices } = root === null ? parseSettings(null) : await settingsIn(root);
  if (own === null) return { namespaces: [], problems, notices };
  const settings = withVariables(own, variables);
  const inside = root === null ? null : relative(root, resolve(path));
  const bytes = await readFile(path);
  if (inside === SETTINGS_PATH) return { namespaces: [], problems, notices };
  if (
    inside !== null &&
    groupFiles([{ path: inside, bytes }], settings.source.manifests).namespaces.length > 0 &&
    root !== null
  ) {
    const loaded = loadNamespaces(await filesBelow(root, settings.source.manifests), settings);
    return {
      namespaces: loaded.desired.map((it) => it.namespace),
      problems: loaded.problems.filter((it) => it.file === inside),
      notices,
    };
  }
  const loaded = loadManifest({ path, bytes }, settings);
  return { namespaces: loaded.desired === null ? [] : [loaded.desired.namespace], problems: loaded.problems, notices };
}

function within(root: string, folder: string): (file: string) => boolean {
  const prefix = relative(root, folder);
  return (file) => prefix === '' || file === prefix || file.startsWith(`${prefix}/`);
}

async function settingsIn(root: string) {
  return parseSettings(await readFile(join(root, SETTINGS_PATH)));
}

async function fleetRoot(from: string): Promise<string | null> {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = await stat(join(folder, SETTINGS_PATH)).catch(() => null);
    if (found?.isFile() === true) return folder;
    if (dirname(folder) === folder) return null;
  }
}

async function filesBelow(root: string, folder: string): Promise<{ path: string; bytes: Uint8Array }[]> {
  const found = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = found.filter((it) => it.isFile()).map((it) => relative(root, join(it.parentPath, it.name)));
  return await Promise.all(paths.toSorted().map(async (path) => ({ path, bytes: await readFile(join(root, path)) })));
}
