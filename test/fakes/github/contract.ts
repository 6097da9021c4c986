/** GitHub's own description of its API: which operation a request is, and what is wrong with it or with an answer. */
import { readFileSync } from 'node:fs';
import Ajv, { type ErrorObject } from 'ajv';
import addFormats from 'ajv-formats';

/** A schema as the slice has it: JSON Schema with references to `#/components/NAME`. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
}

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required: boolean;
  readonly schema: Schema;
}

export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly body?: Schema;
  readonly bodyRequired?: boolean;
  readonly responses: Readonly<Record<string, Schema | null>>;
}

interface Slice {
  readonly source: { readonly version: string };
  readonly operations: Readonly<Record<string, Operation>>;
  readonly components: Readonly<Record<string, Schema>>;
}

/** The operation of a request with the values in its path, as text. */
export interface Match {
  readonly id: string;
  readonly operation: Operation;
  readonly path: Readonly<Record<string, string>>;
}

/** A request as far as the description speaks of it. */
export interface Asked {
  readonly query: URLSearchParams;
  readonly body: unknown;
}

const NAMES = ['openapi', 'operations', 'components'] as const;

/** The description, ready to be asked; schemas are compiled on first use. */
export type Contract = ReturnType<typeof loadContract>;

export function loadContract() {
  const slice = JSON.parse(readFileSync(new URL('openapi-slice.json', import.meta.url), 'utf8')) as Slice;
  const ajv = addAjv(slice);
  const routes = Object.entries(slice.operations)
    .map(([id, operation]) => ({ id, operation, ...routeOf(operation.path) }))
    .toSorted((a, b) => b.literalCount - a.literalCount);

  function check(pointer: readonly (string | number)[], value: unknown): string[] {
    const path = pointer.map((it) => encodeURIComponent(String(it).replaceAll('~', '~0').replaceAll('/', '~1')));
    const validate = ajv.getSchema(`${NAMES[0]}#/${path.join('/')}`);
    if (validate === undefined) throw new Error(`no schema at ${pointer.join('/')}`);
    return validate(value) === true ? [] : (validate.errors ?? []).map(say);
  }

  function resolve(schema: Schema): Schema {
    if (schema.$ref === undefined) return schema;
    return slice.components[schema.$ref.slice('#/components/'.length)] ?? {};
  }

  return {
    operationIds: Object.keys(slice.operations),
    resolve,
    /** The schema of one of GitHub's own records, such as `repository`. */
    component: (name: string): Schema => ({ $ref: `#/components/${name}` }),
    checkComponent: (name: string, value: unknown) => check(['components', name], value),

    /** null: nothing of the slice. */
    match(method: string, pathname: string): Match | null {
      for (const { id, operation, pattern, names } of routes) {
        const found = operation.method === method ? pattern.exec(pathname) : null;
        if (found === null) continue;
        return { id, operation, path: Object.fromEntries(names.map((it, at) => [it, decode(found[at + 1] ?? '')])) };
      }
      return null;
    },

    /** Everything in a request that the description does not know or not allow. */
    checkRequest({ id, operation, path }: Match, { query, body }: Asked): string[] {
      const known = operation.parameters.filter((it) => it.in === 'query').map((it) => it.name);
      const strangers = [...query.keys()].filter((it) => !known.includes(it)).map((it) => `query: unknown name ${it}`);
      const values = operation.parameters.flatMap((parameter, at) => {
        const text = parameter.in === 'path' ? path[parameter.name] : query.get(parameter.name);
        if (text === undefined || text === null) return parameter.required ? [`${parameter.name} is missing`] : [];
        const pointer = ['operations', id, 'parameters', at, 'schema'];
        return check(pointer, typed(text, parameter.schema)).map((it) => `${parameter.in} ${parameter.name}: ${it}`);
      });
      return [...strangers, ...values, ...this.checkBody(id, operation, body)];
    },

    checkBody(id: string, operation: Operation, body: unknown): string[] {
      if (operation.body === undefined) return body === undefined ? [] : ['body: none is expected'];
      if (body === undefined) return operation.bodyRequired === true ? ['body: missing'] : [];
      const wrong = check(['operations', id, 'body'], body).map((it) => `body${it}`);
      return [...wrong, ...unknownNames(operation.body, body, 'body', resolve)];
    },

    /** The schema an answer of this status has; undefined: the description does not know the status, null: no body. */
    responseSchema: ({ operation }: Match, status: number): Schema | null | undefined => operation.responses[status],

    checkResponse({ id }: Match, status: number, body: unknown): string[] {
      return check(['operations', id, 'responses', status], body).map((it) => `answer ${status}${it}`);
    },
  };
}

function addAjv(slice: Slice) {
  // Compiled for one use each: what makes checks fast costs four times as long as the checks.
  const quick = { validateSchema: false, inlineRefs: false, code: { optimize: false } };
  const ajv = new Ajv.default({ strict: false, allErrors: true, allowUnionTypes: true, ...quick });
  addFormats.default(ajv);
  // Where GitHub has no link it says so with an empty one.
  ajv.addFormat('uri', (it: string) => it === '' || URL.canParse(it));
  // Formats of GitHub's own that no standard knows.
  for (const name of ['repo.nwo', 'int64']) ajv.addFormat(name, true);
  ajv.addSchema({ $id: NAMES[0], [NAMES[1]]: slice.operations, [NAMES[2]]: slice.components });
  return ajv;
}

/** A name that stands alone at the end may hold slashes: refs do. */
function routeOf(path: string) {
  const names: string[] = [];
  const pattern = path.replaceAll(/\{(\w+)\}|[.]/g, (whole, name?: string) => {
    if (name === undefined) return `\\${whole}`;
    names.push(name);
    return name === 'ref' || name === 'branch' ? '(.+?)' : '([^/]+)';
  });
  const literalCount = path.split('/').filter((it) => !it.startsWith('{')).length;
  return { pattern: new RegExp(`^${pattern}$`), names, literalCount };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What is in a URL is text; the description says what it means. */
function typed(text: string, { type }: Schema): unknown {
  if (type === 'integer' || type === 'number') return /^-?\d+$/.test(text) ? Number(text) : text;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

/** Names in a body that no branch of the schema has: GitHub ignores them, so whoever sends them is mistaken. */
function unknownNames(schema: Schema, value: unknown, at: string, resolve: (it: Schema) => Schema): string[] {
  const branches = branchesOf(schema, resolve);
  if (Array.isArray(value)) {
    const items = branches.find((it) => it.items !== undefined)?.items;
    return items === undefined ? [] : value.flatMap((it, n) => unknownNames(items, it, `${at}[${n}]`, resolve));
  }
  if (typeof value !== 'object' || value === null) return [];
  const known = Object.assign({}, ...branches.map((it) => it.properties ?? {})) as Record<string, Schema>;
  if (Object.keys(known).length === 0) return [];
  return Object.entries(value).flatMap(([name, it]) => {
    const inner = known[name];
    return inner === undefined ? [`${at}: unknown name ${name}`] : unknownNames(inner, it, `${at}.${name}`, resolve);
  });
}

/** The schema itself and all that it is made of. */
function branchesOf(schema: Schema, resolve: (it: Schema) => Schema): Schema[] {
  const whole = resolve(schema);
  const parts = [...(whole.allOf ?? []), ...(whole.anyOf ?? []), ...(whole.oneOf ?? [])];
  return [whole, ...parts.flatMap((it) => branchesOf(it, resolve))];
}

function say({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath} ${message ?? 'is wrong'} ${JSON.stringify(params)}`;
}
