/**
 * The field table keeps its word: each field of the schemas has a row, each row that works changes what is desired in
 * the way its example says, each refused one is exactly one problem that names the field.
 */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { schemaFields } from '../../../controller/manifest/field-docs.ts';
import { type FieldRow, MANIFEST_FIELDS, SETTINGS_FIELDS } from '../../../controller/manifest/field-table.ts';
import { parseSettings } from '../../../controller/manifest/settings.ts';
import { jsonSchema } from '../../../schemas/manifest-json.ts';
import { Desired } from '../../../schemas/service.ts';
import { EXAMPLES, type Example, REFUSED } from './field-examples.ts';
import { load, settingsOf } from './fleet.ts';

const settings = settingsOf(
  `env = { REGION = "eu" }\n[policy]\n${['bind_mounts', 'privileged', 'host_network', 'cap_add', 'pid_host'].map((it) => `${it} = ["production"]`).join('\n')}\n`,
);

function loadExample({ service, template, volume, root }: Example) {
  const web = { name: 'web', ...service, template: { image: 'shop:1', ...template } };
  const manifest = {
    namespace: 'production',
    services: [web, { name: 'db', template: { image: 'db:1' } }],
    volumes: [{ name: 'data', ...volume }],
    ...root,
  };
  return load({ 'production.json': JSON.stringify(manifest) }, settings);
}

const plain = loadExample({}).desired[0];

/** Members that are there without being asked for: their examples cannot differ from the plain manifest. */
const ALWAYS = ['namespace', 'volumes[].name', 'volumes[].scope'];

describe('a field of manifests that works has its effect', () => {
  const rows = MANIFEST_FIELDS.filter((it) => it.status === 'works');
  it.each(rows.map((it) => it.path))('%s', (path) => {
    const example = EXAMPLES[path];
    if (example === undefined) throw new Error(`no example of ${path}`);
    const { desired, problems } = loadExample(example);
    expect(problems).toEqual([]);
    const namespace = Desired.parse(desired[0]);
    const web = namespace.services.find((it) => it.name === 'web') ?? namespace.services[1];
    expect(namespace).toMatchObject(example.makes?.desired ?? {});
    expect(web).toMatchObject(example.makes?.service ?? {});
    expect(isDeepStrictEqual(namespace, plain)).toBe(ALWAYS.includes(path));
  });
});

describe('a refused field of manifests is one problem that names it', () => {
  const rows = MANIFEST_FIELDS.filter((it) => it.status === 'refused');
  it.each(rows.map((it) => [it.path, it] as const))('%s', (path, row: FieldRow) => {
    const example = REFUSED[path];
    if (example === undefined) throw new Error(`no example of ${path}`);
    const { desired, problems } = loadExample(example);
    expect(desired).toEqual([]);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.path.replaceAll(/\[\d+\]/g, '[]')).toBe(path.replace('.*', '.KEY'));
    expect(problems[0]?.message).toContain(`not supported yet: ${row.reason}`);
    expect(problems[0]?.line).toBe(1);
  });
});

describe('an accepted field of settings is checked in form, and said to have no effect', () => {
  const texts: Record<string, string> = {
    'promotion.landing': '"push"',
    'gateway.https_port': '8443',
    'tls.email': '"ops@acme.dev"',
    'tls.directory': '""',
    'tls.preview_certificate': '""',
  };
  const rows = SETTINGS_FIELDS.filter((it) => it.status === 'accepted');
  it.each(rows.map((it) => [it.path, it] as const))('%s', (path, row: FieldRow) => {
    const key = path.replace('*', 'production');
    const { settings: parsed, problems, notices } = parseSettings(`${key} = ${texts[path]}\n`);
    expect(problems).toEqual([]);
    expect(parsed).not.toBeNull();
    expect(notices.map((it) => [it.path, it.message])).toEqual([[key, `has no effect yet: ${row.reason}`]]);
    expect(parseSettings(`${key} = 1979-05-27\n`).problems).toHaveLength(1);
  });
});

it.each([
  ['manifest', MANIFEST_FIELDS],
  ['settings', SETTINGS_FIELDS],
] as const)('every field of the %s schema has a row, and every row a field', (root, rows) => {
  const fields = new Set(schemaFields(jsonSchema(root)));
  const paths = new Set(rows.filter((it) => it.form === undefined).map((it) => it.path));
  expect([...paths].toSorted()).toEqual([...fields].toSorted());
  const partial = rows.filter((it) => it.form !== undefined);
  expect(partial.every((it) => fields.has(it.path.replace(/\.\*$/, '')))).toBe(true);
});
