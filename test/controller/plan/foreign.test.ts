import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codeSpan, link, prose, tableRow, visible } from '../../../controller/plan/foreign.ts';

describe('visible', () => {
  it.each([
    ['an escape sequence', '\u001b[31mred', String.raw`\u{1b}[31mred`],
    ['a line break', 'a\r\nb', String.raw`a\u{d}\u{a}b`],
    ['a C1 control', '\u009b2J', String.raw`\u{9b}2J`],
    ['a bidirectional override', '\u202eevil', String.raw`\u{202e}evil`],
    ['a zero-width space', 'a\u200bb', String.raw`a\u{200b}b`],
    ['a tag character', 'a\u{e0041}', String.raw`a\u{e0041}`],
    ['a lone surrogate', 'a\ud800b', String.raw`a\u{d800}b`],
  ])('writes %s out', (_, text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it('leaves what can be seen as it is', () => {
    expect(visible('Grüße, 世界 → 🚀')).toBe('Grüße, 世界 → 🚀');
  });
});

describe('code spans', () => {
  it.each([
    ['plain', '`plain`'],
    ['a`b``c', '```a`b``c```'],
    ['`', '`` ` ``'],
    ['', '`  `'],
    ['@acme/ops #1 <img>', '`@acme/ops #1 <img>`'],
  ])('fence %j', (text, span) => {
    expect(codeSpan(text)).toBe(span);
  });

  it('cannot be left by what they hold', () => {
    const nasty = fc.string({ unit: fc.constantFrom('`', '\\', '|', '\n', ' ', 'a', '@x', '<b>'), maxLength: 30 });
    fc.assert(
      fc.property(nasty, (text) => {
        const span = codeSpan(text);
        const fence = /^`+/.exec(span)?.[0] ?? '';
        const inside = span.slice(fence.length, -fence.length);
        expect(span.endsWith(fence)).toBe(true);
        expect(inside).not.toContain('\n');
        // CommonMark 6.1: a span ends at the first run of exactly as many back-ticks.
        expect(inside.split(/[^`]+/).filter((run) => run.length === fence.length)).toEqual([]);
      }),
    );
  });
});

describe('prose', () => {
  it.each([
    ['ask @acme/ops', 'ask `@acme/ops`'],
    ['see #12 or GH-12', 'see `#12` or `GH-12`'],
    ['at https://evil.example now', 'at `https://evil.example` now'],
    ['<script> & *bold* _it_ [x](y)', String.raw`&lt;script\> &amp; \*bold\* \_it\_ \[x\]\(y\)`],
    ['mail me@evil.example', 'mail `me@evil.example`'],
    ['ask (@acme/ops), then #1.', String.raw`ask \(` + '`@acme/ops`' + String.raw`\), then ` + '`#1`.'],
    ['of deadbeef1 and ABC-7', 'of `deadbeef1` and `ABC-7`'],
    ['acme/fleet#1 acme@deadbeef1 :+1:', '`acme/fleet#1` `acme@deadbeef1` `:+1`:'],
    ['    code', 'code'],
    ['- item', String.raw`\- item`],
    ['+ item', String.raw`\+ item`],
    ['1. item', String.raw`1\. item`],
    ['1) item', String.raw`1\) item`],
    ['=== ', String.raw`\===`],
    ['a\nb', String.raw`a\\u\{a\}b`],
  ])('disarms %j', (text, shown) => {
    expect(prose(text)).toBe(shown);
  });
});

describe('links', () => {
  it.each([
    ['https://forge.example/a(b)c|d e', '[x](https://forge.example/a%28b%29c%7Cd%20e)'],
    ['https://forge.example/a&copy;<b>\n', '[x](https://forge.example/a%26copy;%3Cb%3E%0A)'],
    ['https://forge.example/\ud800é', '[x](https://forge.example/%EF%BF%BD%C3%A9)'],
  ])('to %j stay one link', (url, shown) => {
    expect(link('x', url)).toBe(shown);
  });

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    ' https://forge.example',
    'https:///x',
    '//forge.example',
    '',
    `https://forge.example/${'x'.repeat(600)}`,
    `https://forge.example/${'('.repeat(300)}`,
  ])('to %j are none', (url) => {
    expect(link('x', url)).toBe('x');
  });
});

describe('table rows', () => {
  it('have as many cells as they were given, whatever is in them', () => {
    expect(tableRow([codeSpan('a|b'), codeSpan('c\\|d')])).toBe('| `a\\u{7c}b` | `c\\\\u{7c}d` |');
  });
});
