/** The example fleet is in order, shows what it says, and needs no image but its own. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadNamespaces } from '../../../controller/manifest/load.ts';
import { parseSettings } from '../../../controller/manifest/settings.ts';
import { Desired } from '../../../schemas/service.ts';

const EXAMPLE = 'manifests-example';

it('has no problems, and nothing in it is without effect', async () => {
  const { settings, problems, notices } = parseSettings(await readFile(join(EXAMPLE, 'slipway.toml')));
  expect(problems).toEqual([]);
  expect(notices).toEqual([]);
  if (settings === null) throw new Error('no settings');
  const names = (await readdir(EXAMPLE, { recursive: true, withFileTypes: true })).filter((it) => it.isFile());
  const files = names.map(async (it) => {
    const path = join(it.parentPath, it.name);
    return { path: path.slice(EXAMPLE.length + 1), bytes: await readFile(path) };
  });
  const loaded = loadNamespaces(await Promise.all(files), settings);
  expect(loaded.problems).toEqual([]);
  expect(loaded.desired.map((it) => it.namespace)).toEqual(['demo', 'production']);
  const services = loaded.desired.flatMap((it) => Desired.parse(it).services);
  expect(new Set(services.map((it) => it.imageName))).toEqual(new Set(['slipway-example:1']));
  expect(services.find((it) => it.name === 'web')?.routes).toEqual([
    { kind: 'http', hostname: 'localhost', pathPrefix: '/', port: 8080 },
  ]);
  expect(services.find((it) => it.name === 'web')?.template.env['REGION']).toBe('local');
});

it.each([
  ['slipway.toml', '#:schema ./schemas/settings.json'],
  ['namespaces/production.toml', '#:schema ../schemas/manifest.json'],
  ['namespaces/demo.yaml', '# yaml-language-server: $schema=../schemas/manifest.json'],
])('tells editors the schema of %s', async (path, line) => {
  expect((await readFile(join(EXAMPLE, path), 'utf8')).split('\n')[0]).toBe(line);
});
