/** Generated files are current, and what editors are told fits what is checked. */
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { generatedFiles } from '../../controller/manifest/field-docs.ts';
import { type JsonSchema, jsonSchema } from '../../schemas/manifest-json.ts';

it.each(Object.keys(generatedFiles()))('%s is current (npx tsx deploy/generate.ts)', async (path) => {
  expect(await readFile(path, 'utf8')).toBe(generatedFiles()[path]);
});

it.each(['manifest', 'settings'] as const)('the JSON Schema of %s is draft-07 and describes every field', (root) => {
  const schema = jsonSchema(root);
  expect(schema).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' });
  expect(undescribed(schema, root)).toEqual([]);
});

/** Fields that hold a value and have no help for editors. */
function undescribed(schema: JsonSchema, path: string): string[] {
  const inner = [schema.items, schema.additionalProperties, ...(schema.anyOf ?? [])].flatMap((it) =>
    it === undefined || it === false ? [] : undescribed(it, path),
  );
  const members = Object.entries(schema.properties ?? {}).flatMap(([key, it]) => {
    const isSection = it.properties !== undefined || it.additionalProperties !== undefined;
    const own = it.description === undefined && !isSection ? [`${path}.${key}`] : [];
    return [...own, ...undescribed(it, `${path}.${key}`)];
  });
  return [...inner, ...members];
}
