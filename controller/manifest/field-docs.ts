/** The field table as people read it, and the list of all generated files. Pure. */
import { type JsonSchema, jsonSchema } from '../../schemas/manifest-json.ts';
import { type FieldRow, type FieldStatus, fieldSteps, MANIFEST_FIELDS, SETTINGS_FIELDS } from './field-table.ts';
import { printJson } from './print-json.ts';

/** Every generated file: path from the root of the repository → text. */
export function generatedFiles(): Readonly<Record<string, string>> {
  const manifest = printJson(jsonSchema('manifest'));
  const settings = printJson(jsonSchema('settings'));
  return {
    'schemas/json/manifest.json': manifest,
    'schemas/json/settings.json': settings,
    // The example is a repository of its own, so that its files can only refer to what lies in it.
    'manifests-example/schemas/manifest.json': manifest,
    'manifests-example/schemas/settings.json': settings,
    'docs/manifest-fields.md': fieldDocs(),
  };
}

/** Paths of all fields of a schema that hold a value of their own, in the form of the field table. */
export function schemaFields(schema: JsonSchema, path = ''): string[] {
  const branches = schema.anyOf ?? [schema];
  const inner = branches.flatMap((it) => [
    ...Object.entries(it.properties ?? {})
      .filter(([key]) => key !== '$schema')
      .flatMap(([key, member]) => schemaFields(member, path === '' ? key : `${path}.${key}`)),
    ...(it.items === undefined ? [] : elementFields(it.items, `${path}[]`)),
    ...(it.additionalProperties === undefined || it.additionalProperties === false
      ? []
      : elementFields(it.additionalProperties, `${path}.*`)),
  ]);
  const isValue = inner.length === 0 || branches.length > 1;
  return isValue ? [path, ...inner] : inner;
}

/** Fields of the elements of a list or record; of plain values none, because the list itself is the field. */
function elementFields(schema: JsonSchema, path: string): string[] {
  return schemaFields(schema, path).filter((it) => it !== path);
}

const STATUS_TEXT: Readonly<Record<FieldStatus, string>> = {
  works: 'works',
  accepted: 'accepted, has no effect yet',
  refused: 'refused: "not supported yet"',
};

function fieldDocs(): string {
  return [
    '# Fields of manifests and settings',
    '',
    'Every field, and whether it works. A refused field is a problem that names it; nothing is ignored silently.',
    'This file is generated: `npx tsx deploy/generate.ts`.',
    '',
    '## Manifests (`namespaces/…`)',
    '',
    ...table(MANIFEST_FIELDS, jsonSchema('manifest')),
    '',
    '## Settings (`slipway.toml`)',
    '',
    ...table(SETTINGS_FIELDS, jsonSchema('settings')),
    '',
  ].join('\n');
}

function table(rows: readonly FieldRow[], schema: JsonSchema): string[] {
  const lines = rows.map((row) => {
    const field = row.form === undefined ? `\`${row.path}\`` : `\`${row.path}\` = ${row.form.shown}`;
    const reason = row.reason === undefined ? '' : ` (${row.reason})`;
    return `| ${field} | ${STATUS_TEXT[row.status]}${reason} | ${descriptionOf(schema, fieldSteps(row.path))} |`;
  });
  return ['| field | status | what |', '| --- | --- | --- |', ...lines];
}

function descriptionOf(schema: JsonSchema, steps: readonly string[]): string {
  let nodes: JsonSchema[] = [schema];
  let description = '';
  for (const step of steps) {
    nodes = nodes.flatMap((it) => it.anyOf ?? [it]).flatMap((it) => member(it, step) ?? []);
    description = nodes[0]?.description ?? description;
  }
  return description.replaceAll('|', '\\|');
}

function member(schema: JsonSchema, step: string): JsonSchema | undefined {
  if (step === '[]') return schema.items;
  if (step === '*') return schema.additionalProperties === false ? undefined : schema.additionalProperties;
  return schema.properties?.[step];
}
