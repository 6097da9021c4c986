/**
 * YAML 1.2 text (core schema) → value and places, or the faults that stop reading. Pure.
 *
 * One document, string keys, no duplicate keys, no merge keys, no tags of other schemas; depth and aliases are limited
 * before any of it is turned into values, so that neither nesting nor an alias bomb costs stack or memory.
 */
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type ParsedNode,
  Parser,
} from 'yaml';
import { LIMITS } from '../../schemas/manifest-values.ts';
import { type Fault, membersFault, type Parsed } from './parsed.ts';
import { type PlaceNode, placeAt, placeNode } from './places.ts';

/** Reads one YAML document. */
export function readYaml(text: string): Parsed {
  const lines = new LineCounter();
  const tokens = tokensOf(text, lines);
  if (tokens === null) return refuse(text, 0, `more than ${LIMITS.yamlLexemes} words and signs`);
  const deep = tooDeep(tokens);
  if (deep !== null) return refuse(text, deep, `nested deeper than ${LIMITS.depth} levels`);
  const much = tooMany(tokens);
  if (much !== null) return refuse(text, much.offset, much.message);
  const composer = new Composer({
    schema: 'core',
    strict: true,
    uniqueKeys: true,
    stringKeys: true,
    merge: false,
    resolveKnownTags: false,
    logLevel: 'silent',
  });
  const documents = [...composer.compose(tokens, false, text.length)];
  const faults = documents
    .flatMap((it) => [...it.errors, ...it.warnings])
    // Each place is counted from the beginning of the text.
    .slice(0, LIMITS.problemsPerFile)
    .map((it): Fault => {
      const message = it.code === 'DUPLICATE_KEY' ? 'this key stands twice in one map' : lowerFirst(it.message);
      return { place: placeAt(text, it.pos[0]), message: `not valid YAML: ${message}` };
    });
  if (faults.length > 0) return { ok: false, faults };
  const [document, second] = documents;
  if (second !== undefined) return refuse(text, second.range[0], 'a file holds one document; here a second one begins');
  if (document === undefined) return { ok: true, value: null, root: placeNode(0, 0) };
  if (document.directives.yaml.version === '1.1') return refuse(text, 0, 'YAML 1.1 is not read, only YAML 1.2');
  return valueOf(text, document);
}

/** null: there are more lexemes than are read. */
function tokensOf(text: string, lines: LineCounter): CST.Token[] | null {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  const tokens: CST.Token[] = [];
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (++count > LIMITS.yamlLexemes) return null;
    for (const token of parser.next(lexeme)) tokens.push(token);
  }
  for (const token of parser.end()) tokens.push(token);
  return tokens;
}

function valueOf(text: string, document: Document.Parsed): Parsed {
  const root = placeNode(0, document.contents?.range[0] ?? 0);
  const aliases: number[] = [];
  if (document.contents !== null) collect(document.contents as ParsedNode, root, aliases);
  const beyond = aliases[LIMITS.yamlAliases];
  if (beyond !== undefined) return refuse(text, beyond, `more than ${LIMITS.yamlAliases} aliases`);
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: LIMITS.yamlAliases + 1 }), root };
  } catch (error) {
    // The library counts what an anchor and its aliases expand to (so one more than the aliases), and throws a ReferenceError for an alias bomb or an unknown alias.
    if (!(error instanceof ReferenceError)) throw error;
    return refuse(text, aliases[0] ?? 0, `aliases expand to more than ${LIMITS.yamlAliases} copies, or have no anchor`);
  }
}

function collect(node: ParsedNode, place: PlaceNode, aliases: number[]): void {
  if (isAlias(node)) aliases.push(node.range[0]);
  else if (isMap(node)) {
    for (const pair of node.items) {
      const key = pair.key as ParsedNode;
      if (isAlias(key)) aliases.push(key.range[0]);
      const value = pair.value as ParsedNode | null;
      const child = placeNode(key.range[0], value?.range[0] ?? key.range[0]);
      if (isScalar(key)) place.children.set(String(key.value), child);
      if (value !== null) collect(value, child, aliases);
    }
  } else if (isSeq(node)) {
    node.items.forEach((item, index) => {
      const element = item as ParsedNode;
      const child = placeNode(element.range[0], element.range[0]);
      place.children.set(index, child);
      collect(element, child, aliases);
    });
  }
}

/** The first collection that makes the text hold more than is read; null: none. Walks with a stack of its own. */
function tooMany(tokens: readonly CST.Token[]): { readonly offset: number; readonly message: string } | null {
  const open: CST.Token[] = [...tokens];
  let members = 0;
  for (let token = open.pop(); token !== undefined; token = open.pop()) {
    if (token.type === 'document' && token.value !== undefined) open.push(token.value);
    if (!('items' in token)) continue;
    members += token.items.length;
    const message = membersFault(token.items.length, members);
    if (message !== null) return { offset: token.offset, message };
    for (const { key, value } of token.items) {
      if (key !== undefined && key !== null) open.push(key);
      if (value !== undefined) open.push(value);
    }
  }
  return null;
}

const COLLECTIONS: ReadonlySet<string> = new Set(['block-map', 'block-seq', 'flow-collection']);

/** Offset of the first collection below the limit; null: none. Walks with a stack of its own. */
function tooDeep(tokens: readonly CST.Token[]): number | null {
  const open: { readonly token: CST.Token; readonly depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token } = next;
    const depth = next.depth + (COLLECTIONS.has(token.type) ? 1 : 0);
    if (depth > LIMITS.depth) return token.offset;
    if (token.type === 'document' && token.value !== undefined) open.push({ token: token.value, depth });
    if (!('items' in token)) continue;
    for (const item of token.items) {
      if (item.key !== undefined && item.key !== null) open.push({ token: item.key, depth });
      if (item.value !== undefined) open.push({ token: item.value, depth });
    }
  }
  return null;
}

function refuse(text: string, offset: number, message: string): Parsed {
  return { ok: false, faults: [{ place: placeAt(text, offset), message }] };
}

function lowerFirst(message: string): string {
  return message.slice(0, 1).toLowerCase() + message.slice(1);
}
