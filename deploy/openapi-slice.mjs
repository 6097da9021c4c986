/**
 * Cuts GitHub's published API description to the operations that the GitHub of our tests knows. By hand, because the
 * description has 385 MB: `npm pack @octokit/openapi@23.0.2`, `tar xzf octokit-openapi-23.0.2.tgz package/LICENSE
 * package/package.json package/generated/api.github.com.json`, then `node deploy/openapi-slice.mjs package` writes
 * test/fakes/github/openapi-slice.json.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const TARGET = new URL('../test/fakes/github/openapi-slice.json', import.meta.url);

const OPERATIONS = [
  'apps/create-installation-access-token',
  'apps/get-authenticated',
  'apps/get-repo-installation',
  'checks/create',
  'checks/get',
  'checks/list-for-ref',
  'checks/update',
  'git/get-commit',
  'git/get-ref',
  'issues/add-labels',
  'issues/create-comment',
  'issues/delete-comment',
  'issues/get',
  'issues/get-comment',
  'issues/list-comments',
  'issues/list-comments-for-repo',
  'issues/remove-label',
  'issues/update-comment',
  'pulls/create',
  'pulls/get',
  'pulls/list',
  'pulls/list-reviews',
  'pulls/merge',
  'pulls/update',
  'rate-limit/get',
  'reactions/create-for-issue-comment',
  'reactions/delete-for-issue-comment',
  'reactions/list-for-issue-comment',
  'repos/create-commit-status',
  'repos/create-deployment',
  'repos/create-deployment-status',
  'repos/get',
  'repos/get-branch',
  'repos/get-collaborator-permission-level',
  'repos/get-combined-status-for-ref',
  'repos/get-deployment',
  'repos/list-branches',
  'repos/list-commit-statuses-for-ref',
  'repos/list-deployment-statuses',
  'repos/list-deployments',
  'teams/get-by-name',
  'teams/get-membership-for-user-in-org',
  'users/get-authenticated',
  'users/get-by-username',
];

/** What GitHub answers and its description forbids: the repository of a head may be gone. */
const ALSO_NULL = [
  ['pull-request', 'head', 'repo'],
  ['pull-request-simple', 'head', 'repo'],
];

/** Said by nobody but readers of the description. */
const PROSE = new Set(['description', 'summary', 'example', 'examples', 'externalDocs', 'title', 'deprecated', 'tags']);

const [, , folder = 'package'] = process.argv;
/** @param {string} name */
const read = (name) => readFile(join(folder, name), 'utf8');
const { operations, components } = cut(JSON.parse(await read('generated/api.github.com.json')));
const { version } = JSON.parse(await read('package.json'));
const license = (await read('LICENSE')).replaceAll(/\s+/g, ' ').trim();
const source = { package: '@octokit/openapi', version, file: 'generated/api.github.com.json', license };
await writeFile(
  TARGET,
  `{\n"source":${JSON.stringify(source)},\n${rows('operations', operations)},\n${rows('components', components)}\n}\n`,
);
process.stdout.write(`${Object.keys(operations).length} operations, ${Object.keys(components).length} components\n`);

/**
 * One line an operation or component, so that a newer version can be read as a difference.
 * @param {string} name
 * @param {Record<string, unknown>} table
 */
function rows(name, table) {
  const lines = Object.keys(table)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${JSON.stringify(table[key])}`);
  return `${JSON.stringify(name)}:{\n${lines.join(',\n')}\n}`;
}

/** @param {any} whole */
function cut({ paths, components: all }) {
  /** @type {Record<string, any>} */
  const found = {};
  /** @type {Record<string, any>} */
  const reached = {};
  for (const [path, item] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(/** @type {Record<string, any>} */ (item))) {
      if (OPERATIONS.includes(operation.operationId))
        found[operation.operationId] = asOperation(path, method, operation);
    }
  }
  const missing = OPERATIONS.filter((it) => found[it] === undefined);
  if (missing.length > 0) throw new Error(`unknown operations: ${missing.join(', ')}`);
  reach(found);
  for (const [name = '', outer = '', inner = ''] of ALSO_NULL) {
    const { properties } = reached[name].properties[outer];
    properties[inner] = orNull(properties[inner]);
  }
  return { operations: found, components: reached };

  /** @param {string} path @param {string} method @param {any} operation */
  function asOperation(path, method, { parameters = [], requestBody, responses }) {
    const body = requestBody?.content?.['application/json']?.schema;
    return {
      method: method.toUpperCase(),
      path,
      parameters: parameters
        .map(resolve)
        .filter((/** @type {any} */ it) => it.in !== 'header')
        .map((/** @type {any} */ it) => ({
          name: it.name,
          in: it.in,
          required: it.required === true,
          schema: schemaOf(it.schema),
        })),
      ...(body === undefined ? {} : { body: schemaOf(body), bodyRequired: requestBody.required === true }),
      responses: Object.fromEntries(
        Object.entries(responses).map(([status, response]) => {
          const content = resolve(response).content ?? {};
          const media = content['application/json'] ?? Object.values(content)[0];
          return [status, media === undefined ? null : schemaOf(media.schema)];
        }),
      ),
    };
  }

  /** @param {any} it @returns {any} */
  function resolve(it) {
    return it.$ref === undefined
      ? it
      : it.$ref
          .split('/')
          .slice(1)
          .reduce((/** @type {any} */ at, /** @type {string} */ key) => at[key], { components: all });
  }

  /** @param {any} node */
  function reach(node) {
    if (typeof node !== 'object' || node === null) return;
    if (typeof node.$ref === 'string') {
      const name = node.$ref.split('/').at(-1);
      if (reached[name] === undefined) {
        reached[name] = schemaOf(all.schemas[name]);
        reach(reached[name]);
      }
    }
    Object.values(node).forEach(reach);
  }
}

/**
 * JSON Schema of an OpenAPI 3.0 schema: without prose, `nullable` said as a type, and null in nullable enums.
 * @param {any} node
 * @returns {any}
 */
function schemaOf(node) {
  if (Array.isArray(node)) return node.map(schemaOf);
  if (typeof node !== 'object' || node === null) return node;
  /** @type {Record<string, any>} */
  const schema = {};
  for (const [key, value] of Object.entries(node)) {
    if (PROSE.has(key) || key === 'nullable' || key.startsWith('x-')) continue;
    if (key === 'properties') schema['properties'] = mapValues(value, schemaOf);
    else if (key === 'default' || key === 'enum') schema[key] = value;
    else if (key === '$ref') schema['$ref'] = value.replace('#/components/schemas/', '#/components/');
    else schema[key] = schemaOf(value);
  }
  return node.nullable === true ? orNull(schema) : schema;
}

/** @param {any} schema */
function orNull(schema) {
  if (typeof schema.type !== 'string') return { anyOf: [schema, { type: 'null' }] };
  const nullable = { ...schema, type: [schema.type, 'null'] };
  if (schema.enum !== undefined && !schema.enum.includes(null)) nullable.enum = [...schema.enum, null];
  return nullable;
}

/** @param {Record<string, any>} record @param {(it: any) => any} change */
function mapValues(record, change) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
