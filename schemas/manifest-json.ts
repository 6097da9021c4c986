/** JSON Schema (draft-07) of the files that users write: for editors; the zod schemas stay the authority. */
import { z } from 'zod';
import { Manifest } from './manifest.ts';
import { SettingsFile } from './settings.ts';

/** The part of JSON Schema that the generated schemas use. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | false;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly not?: object;
}

const ROOTS = { manifest: Manifest, settings: SettingsFile } as const;

/** The JSON Schema of manifests or of slipway.toml. */
export function jsonSchema(root: keyof typeof ROOTS): JsonSchema {
  const schema = z.toJSONSchema(ROOTS[root], {
    io: 'input',
    target: 'draft-07',
    // An integer without a limit of its own has the limits of safe integers, which tell an editor nothing.
    override: ({ jsonSchema: it }) => {
      if (it.maximum === Number.MAX_SAFE_INTEGER) delete it.maximum;
      if (it.minimum === Number.MIN_SAFE_INTEGER) delete it.minimum;
    },
  });
  return schema as JsonSchema;
}
