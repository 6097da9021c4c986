/** Files that nobody should write, and some do on purpose: one clear problem each, no crash, no wait. */
import { expect, it } from 'vitest';
import { load, manifest, problemsOf } from './fleet.ts';

const deep = 10_000;

it.each([
  ['a.json', '['.repeat(deep), 'a.json:1:33: not valid JSON: nested deeper than 32 levels'],
  ['a.json', '{"a":'.repeat(deep), 'nested deeper than 32 levels'],
  ['a.toml', `a = ${'['.repeat(deep)}${']'.repeat(deep)}`, 'nested deeper than 32 levels'],
  ['a.toml', `a = ${'{a='.repeat(deep)}`, 'nested deeper than 32 levels'],
  ['a.toml', `[${'a.'.repeat(deep)}a]\n`, 'a.toml:1:2: nested deeper than 32 levels'],
  ['a.toml', `${'a.'.repeat(deep)}a = 1\n`, 'nested deeper than 32 levels'],
  ['a.yaml', '['.repeat(deep), 'a.yaml:1:33: nested deeper than 32 levels'],
  ['a.yaml', '['.repeat(deep) + ']'.repeat(deep), 'nested deeper than 32 levels'],
  ['a.yaml', '- '.repeat(deep), 'nested deeper than 32 levels'],
  ['a.yaml', '{a: '.repeat(deep), 'nested deeper than 32 levels'],
  ['a.yaml', '? '.repeat(deep), 'nested deeper than 32 levels'],
  ['a.yaml', Array.from({ length: 1000 }, (_, n) => `${' '.repeat(n)}a:`).join('\n'), 'nested deeper than 32 levels'],
])('10,000 levels in %s do not overflow the stack', (path, text, expected) => {
  const problems = problemsOf({ [path]: text });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(expected);
});

it('stops an alias bomb before it expands', () => {
  const letters = 'bcdefghi'.split('');
  const levels = letters.map((it, n) => `${it}: &${it} [${Array(9).fill(`*${'abcdefgh'[n]}`).join(',')}]`);
  const problems = problemsOf({ 'a.yaml': ['a: &a [x,x,x,x,x,x,x,x,x]', ...levels].join('\n') });
  expect(problems).toEqual([expect.stringContaining('aliases expand to more than 100 copies')]);
});

it('counts aliases', () => {
  const uses = (count: number) => `namespace: a\nservices: []\nx: &x 1\ny: [${Array(count).fill('*x').join(',')}]\n`;
  expect(problemsOf({ 'a.yaml': uses(101) })).toEqual(['a.yaml:4:305: more than 100 aliases']);
  expect(problemsOf({ 'a.yaml': uses(100) }).join()).not.toContain('aliases');
});

it('lets a manifest use an alias', () => {
  const yaml = 'namespace: a\nservices:\n  - {name: x, template: &t {image: "x:1"}}\n  - {name: y, template: *t}\n';
  expect(load({ 'a.yaml': yaml }).desired[0]?.services.map((it) => it.imageName)).toEqual(['x:1', 'x:1']);
});

it('does not read a file of more than 1 MiB', () => {
  expect(problemsOf({ 'a.json': new Uint8Array(100 * 1024 * 1024) })).toEqual(['a.json: is larger than 1024 KiB']);
  const text = manifest([], { namespace: 'a' });
  expect(problemsOf({ 'a.json': text.padEnd(1024 * 1024, ' ') })).toEqual([]);
});

it.each([
  [
    'a.json',
    '{"namespace":"a","services":[],"services":[]}',
    'a.json:1:32: not valid JSON: the key "services" stands twice in one object',
  ],
  [
    'a.yaml',
    'namespace: a\nservices: []\nservices: []\n',
    'a.yaml:3:1: not valid YAML: this key stands twice in one map',
  ],
  [
    'a.toml',
    'namespace = "a"\nservices = []\nservices = []\n',
    'a.toml:3:1: not valid TOML: trying to redefine an already defined table or value',
  ],
])('refuses a key that stands twice in %s', (path, text, expected) => {
  expect(problemsOf({ [path]: text })).toEqual([expected]);
});

it.each([
  ['a.json', '{"namespace":"a","services":[],"__proto__":{"polluted":1}}'],
  ['a.toml', 'namespace = "a"\nservices = []\n[__proto__]\npolluted = 1\n'],
  ['a.yaml', 'namespace: a\nservices: []\n__proto__: {polluted: 1}\n'],
])('takes __proto__ in %s for an unknown key', (path, text) => {
  expect(problemsOf({ [path]: text })).toEqual([expect.stringMatching(/:\d+:\d+ __proto__: unknown key "__proto__"$/)]);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

it('takes constructor and prototype for unknown keys, and for plain names of variables', () => {
  const template = { image: 'x:1', env: { constructor: 'a', toString: 'b' } };
  expect(
    load({ 'a.json': manifest([{ name: 'x', template }], { namespace: 'a' }) }).desired[0]?.services[0]?.template.env,
  ).toEqual({
    constructor: 'a',
    toString: 'b',
  });
  const found = problemsOf({ 'a.json': '{"namespace":"a","services":[],"constructor":{"prototype":{"polluted":1}}}' });
  expect(found).toEqual([
    'a.json:1:32 constructor: unknown key "constructor" (known here: namespace, services, volumes)',
  ]);
  const inside = manifest([{ name: 'x', template: { image: 'x:1' }, depends_on: { constructor: 'ready' } }], {
    namespace: 'a',
  });
  expect(problemsOf({ 'a.json': inside }).join()).toContain('"constructor" is not a service of this namespace');
});

it.each([
  ['a.toml', 'namespace = "a"\n[[services]]\nname = "w', 'a.toml:3:8: not valid TOML'],
  ['a.json', '{"namespace":"a","services":[{"na', 'a.json:1:31: not valid JSON: a string is not closed'],
  [
    'a.json',
    '{"namespace":"a","services":[',
    'a.json:1:30: not valid JSON: expected a value, found the end of the file',
  ],
  ['a.json', '{"namespace":"a","services":[],}', 'a comma stands before "}" (remove the comma)'],
  ['a.json', "{'namespace':'a'}", 'expected a key in quotes'],
  ['a.json', '{"namespace":"a"} // x', 'unexpected "/" after the end of the value'],
  ['a.yaml', 'namespace: a\nservices:\n  - name: "w', 'a.yaml:3:'],
  ['a.yaml', 'namespace: a\nservices:\n  - name: w\n    template', 'a.yaml:'],
  ['a.yaml', 'a: [1', 'a.yaml:1:'],
])('says where half-written %s stops', (path, text, expected) => {
  const { problems, desired } = load({ [path]: text });
  expect(desired).toEqual([]);
  expect(problemsOf({ [path]: text }).join('\n')).toContain(expected);
  expect(problems[0]?.line).toBeGreaterThan(0);
});

it.each([
  ['a second document', 'namespace: a\nservices: []\n---\nnamespace: b\n', 'a second one begins'],
  ['YAML 1.1', '%YAML 1.1\n---\nnamespace: a\nservices: []\n', 'only YAML 1.2'],
  ['a constructor', 'namespace: !!js/function "x"\nservices: []\n', 'unresolved tag'],
  ['a local tag', 'namespace: !x a\nservices: []\n', 'unresolved tag'],
  ['binary data', 'namespace: !!binary YQ==\nservices: []\n', 'unresolved tag'],
  [
    'a merge key',
    'x: &x {namespace: a}\n<<: *x\nservices: []\n',
    'unknown key "<<" (merge keys are not read: write the fields out)',
  ],
  ['a key that is no text', '? {a: 1}\n: 2\n', 'keys must be strings'],
  ['an unknown alias', 'namespace: *nobody\nservices: []\n', 'a.yaml:1:12'],
  [
    'a tab as indentation',
    'services:\n\t- name: x\n',
    'a.yaml:2:1: not valid YAML: tabs are not allowed as indentation',
  ],
  ['a list at the root', '- a\n', 'a.yaml:1:1: wanted a table, not a list'],
  ['plain text', 'hello', 'wanted a table, not the text "hello"'],
])('refuses YAML with %s', (_, text, expected) => {
  expect(problemsOf({ 'a.yaml': text }).join('\n')).toContain(expected);
});

it('reads yes, on, no, 012 and 12:30 as YAML 1.2 does', () => {
  const env = (it: string) =>
    problemsOf({ 'a.yaml': `namespace: a\nservices:\n  - name: x\n    template: {image: "x:1", env: {A: ${it}}}\n` });
  for (const text of ['yes', 'on', 'no', '12:30', '2020-01-01', '1_000']) expect(env(text)).toEqual([]);
  expect(env('012').join()).toContain('wanted text, not the number 12');
  expect(env('true').join()).toContain('wanted text, not true (write "true", in quotes)');
  expect(env('~').join()).toContain('wanted text, not nothing');
});

it.each(['a.toml', 'a.yaml', 'a.json'])('reads %s with a byte order mark, CRLF and tabs between things', (path) => {
  const texts: Record<string, string> = {
    'a.toml': 'namespace\t=\t"a"\r\n\t[[services]]\r\n\tname = "x"\t# tab\r\n\ttemplate.image = "x:1"\r\n',
    'a.yaml': 'namespace:\ta\t\r\nservices:\r\n  - name: x\t# tab\r\n    template:\t{image: "x:1"}\r\n',
    'a.json': '\t{"namespace":\t"a",\r\n\t"services": [{"name": "x", "template": {"image": "x:1"}}]}\r\n',
  };
  const { desired, problems } = load({ [path]: `\ufeff${texts[path]}` });
  expect(problems).toEqual([]);
  expect(desired[0]?.services[0]?.name).toBe('x');
});

it('counts lines with CRLF as lines', () => {
  expect(problemsOf({ 'a.toml': 'namespace = "a"\r\nservices = []\r\nx = 1\r\n' })).toEqual([
    expect.stringMatching(/^a.toml:3:1 x: unknown key/),
  ]);
});

it('refuses bytes that are no text', () => {
  expect(problemsOf({ 'a.toml': new Uint8Array([0x61, 0xff]) })).toEqual([
    'a.toml: is not valid UTF-8 (save it as UTF-8)',
  ]);
  expect(problemsOf({ 'a.toml': 'namespace = "a"\nx = "\0"\n' })).toEqual(['a.toml:2:6: has a NUL character in it']);
  expect(problemsOf({ 'a.json': '{"namespace":"a\\u0000"}' })).toEqual([
    'a.json:1:14 namespace: has a NUL or half a character in it',
  ]);
  expect(problemsOf({ 'a.json': '{"a\\ud800":1}' }).join()).toContain('half a character');
});

it('shows text of users without its control characters, and not all of a long one', () => {
  const [problem = ''] = problemsOf({
    'a.json': JSON.stringify({ namespace: 'a', services: [], [`\u001b[2J\u202e${'x'.repeat(1000)}`]: 1 }),
  });
  expect(problem).toContain('unknown key "\\u001b[2J\\u202exxx');
  expect(problem).not.toContain('\u001b');
  expect(problem).not.toContain('\u202e');
  expect(problem.length).toBeLessThan(400);
});

it('answers in time when a manifest is made to be slow', () => {
  const started = performance.now();
  const names = 'a'.repeat(200_000);
  const route = { http: { service_port: 'http', hostnames: Array(1000).fill('a.test') } };
  const service = {
    name: 'x',
    template: { image: `${'a-'.repeat(100_000)}!`, env: { A: '{{env:'.repeat(30_000) } },
    routes: Array(40).fill(route),
    deadline: '1s '.repeat(9),
  };
  const text = JSON.stringify({ namespace: 'a', services: [service, { name: names }], [names]: 1 });
  expect(load({ 'a.json': text }).desired).toEqual([]);
  const chain = Array.from({ length: 6000 }, (_, n) => ({
    name: `s${n}`,
    template: { image: 'x:1' },
    depends_on: { [`s${(n + 1) % 6000}`]: 'ready' },
  }));
  expect(load({ 'a.json': JSON.stringify({ namespace: 'a', services: chain }) }).invalid).toEqual(new Set(['a']));
  expect(performance.now() - started).toBeLessThan(3000);
});
