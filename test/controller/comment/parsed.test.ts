/** What a Markdown parser (CommonMark and GFM) makes of every comment: nothing that a stranger wrote is more than text. */
import fc from 'fast-check';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';
import { describe, expect, it } from 'vitest';
import { renderComment } from '../../../controller/comment/render.ts';
import { hostileModel } from './arbitrary.ts';
import { EXAMPLES } from './examples.ts';

interface Node {
  readonly type: string;
  readonly value?: string;
  readonly url?: string;
  readonly children?: readonly Node[];
}

/** What comments are made of: no image, quote, emphasis, rule, break, definition, reference or footnote is among it. */
const KINDS = new Set([
  'root',
  'html',
  'heading',
  'paragraph',
  'text',
  'strong',
  'inlineCode',
  'code',
  'link',
  'list',
  'listItem',
  'table',
  'tableRow',
  'tableCell',
]);
const OWN_HTML =
  /^(?:<!-- slipway [^<>]+ -->|<!-- format=1 [^<>]+ -->|<br>|<details><summary>[\w ]+(?:: \d+ fields?)?<\/summary>|<\/details>)$/;
/** What GitHub looks for in text after it was parsed. */
const LINKING = /@[a-z\d]|#\d|GH-\d|ABC-\d|:\/\/|www\.|:\+1:|(?<![\da-z])deadbeef1(?![\da-z])/i;

function nodesOf(node: Node): Node[] {
  return [node, ...(node.children ?? []).flatMap(nodesOf)];
}

function oddities(markdown: string): string[] {
  const tree: Node = fromMarkdown(markdown, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
  const nodes = nodesOf(tree);
  const tables = nodes.filter((it) => it.type === 'table');
  return [
    ...nodes.filter((it) => !KINDS.has(it.type)).map((it) => `${it.type} ${it.value}`),
    ...nodes
      .filter((it) => it.type === 'html')
      .flatMap((it) => (it.value ?? '').split('\n'))
      .filter((it) => !OWN_HTML.test(it)),
    ...nodes.filter((it) => it.type === 'text' && LINKING.test(it.value ?? '')).map((it) => `text ${it.value}`),
    ...nodes
      .filter(
        (it) =>
          it.type === 'link' && !/^https:\/\/(?:github|x|web-pr-7\.preview\.acme)\.example(?:\/|$)/.test(it.url ?? ''),
      )
      .map((it) => `link to ${it.url}`),
    ...(nodes.filter((it) => it.type === 'heading').length === 1 ? [] : ['more than one heading']),
    ...tables.flatMap((table) => {
      const widths = new Set((table.children ?? []).map((it) => it.children?.length));
      return widths.size === 1 ? [] : ['a row of another width'];
    }),
  ];
}

describe('a parsed comment', () => {
  it.each(Object.entries(EXAMPLES))('of the kind %s has only what it should have', (_, model) => {
    expect(oddities(renderComment(model))).toEqual([]);
  });

  it('has nothing of a stranger but text and code', () => {
    fc.assert(
      fc.property(hostileModel(6), (model) => {
        expect(oddities(renderComment(model))).toEqual([]);
      }),
      { numRuns: Number(process.env['PARSED_RUNS'] ?? 60) },
    );
  });
});
