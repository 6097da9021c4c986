/** Completes an answer: what the description requires and the state does not say gets a harmless value of its type. */
import type { Schema } from './contract.ts';

/** A record as it goes over the wire. */
export type Json = Record<string, unknown>;

const BY_FORMAT: Readonly<Record<string, string>> = {
  uri: 'https://github.test/nothing',
  'date-time': '2020-01-01T00:00:00Z',
  email: 'nobody@github.test',
};

/** The value with every required name that it lacks; what it has stays as it is. */
export function fill(schema: Schema, value: unknown, resolve: (it: Schema) => Schema): unknown {
  const whole = resolve(schema);
  const parts = whole.anyOf ?? whole.oneOf;
  if (parts !== undefined) {
    const part = parts.map(resolve).find((it) => accepts(it, value)) ?? parts[0];
    return fillObject(whole, part === undefined ? value : fill(part, value, resolve), resolve);
  }
  const merged = (whole.allOf ?? []).reduce<unknown>((made, part) => fill(part, made, resolve), value);
  return fillObject(whole, merged, resolve);
}

function fillObject(schema: Schema, value: unknown, resolve: (it: Schema) => Schema): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((it) => fill(items, it, resolve));
  }
  if (typeof value !== 'object' || value === null) return value;
  const made: Json = { ...value };
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    if (made[name] !== undefined) made[name] = fill(inner, made[name], resolve);
    else if (schema.required?.includes(name) === true) made[name] = blank(inner, resolve);
  }
  return made;
}

function blank(schema: Schema, resolve: (it: Schema) => Schema): unknown {
  const whole = resolve(schema);
  const types = typesOf(whole);
  if (types.includes('null')) return null;
  if (whole.enum !== undefined) return whole.enum[0];
  const part = whole.anyOf ?? whole.oneOf;
  if (part !== undefined) {
    if (part.some((it) => typesOf(resolve(it)).includes('null'))) return null;
    return part[0] === undefined ? null : blank(part[0], resolve);
  }
  if (types.includes('object') || whole.properties !== undefined || whole.allOf !== undefined)
    return fill(whole, {}, resolve);
  if (types.includes('array')) return [];
  if (types.includes('boolean')) return false;
  if (types.includes('integer') || types.includes('number')) return whole.minimum ?? 0;
  return BY_FORMAT[whole.format ?? ''] ?? '';
}

function typesOf({ type }: Schema): readonly string[] {
  return type === undefined ? [] : typeof type === 'string' ? [type] : type;
}

function accepts(schema: Schema, value: unknown): boolean {
  const types = typesOf(schema);
  const is = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  return types.length === 0 || types.includes(is) || (is === 'number' && types.includes('integer'));
}
