import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCommand, USAGE } from '../../../controller/commands/parse.ts';

const ID = '1a2b3c4d5e6f';
const SHA = 'ab'.repeat(20);
const commandOf = (body: string) => {
  const parsed = parseCommand(body);
  return parsed?.kind === 'command' ? parsed.command : parsed;
};

describe('a command', () => {
  it.each([
    ['/slipway plan', { verb: 'plan' }],
    ['/slipway', { verb: 'help' }],
    ['/Slipway Plan', { verb: 'plan' }],
    ['  /slipway   PLAN  \nand more words', { verb: 'plan' }],
    ['\r\n\n/slipway destroy\r\nplease', { verb: 'destroy' }],
    ['/slipway\tplan', { verb: 'plan' }],
    ['/slipway preview', { verb: 'preview', revision: null }],
    [`/slipway preview ${SHA.toUpperCase()}`, { verb: 'preview', revision: SHA }],
    [`/slipway approve ${ID.toUpperCase()}`, { verb: 'approve', plan: ID }],
    ['/slipway promote Staging production', { verb: 'promote', source: 'staging', target: 'production' }],
    ['/slipway rollback', { verb: 'rollback', namespace: null, release: null }],
    ['/slipway rollback 12', { verb: 'rollback', namespace: null, release: 12 }],
    ['/slipway rollback #12', { verb: 'rollback', namespace: null, release: 12 }],
    ['/slipway rollback production', { verb: 'rollback', namespace: 'production', release: null }],
    ['/slipway rollback production #12', { verb: 'rollback', namespace: 'production', release: 12 }],
    ['/slipway freeze', { verb: 'freeze', namespace: null, why: '' }],
    [
      '/slipway freeze production the größte sale 🏴‍☠️',
      { verb: 'freeze', namespace: 'production', why: 'the größte sale 🏴‍☠️' },
    ],
    ['/slipway unfreeze production', { verb: 'unfreeze', namespace: 'production' }],
    ['/slipway help', { verb: 'help' }],
  ])('%j is read', (body, command) => {
    expect(commandOf(body)).toEqual(command);
  });

  it.each([
    ['words before it', 'please /slipway plan'],
    ['a later line', 'hello\n/slipway plan'],
    ['a quote', '> /slipway plan'],
    ['a fence', '```\n/slipway plan\n```'],
    ['a fence of tildes', '~~~\n/slipway plan'],
    ['code by indentation', '    /slipway plan'],
    ['code by a tab', '\t/slipway plan'],
    ['inline code', '`/slipway plan`'],
    ['an HTML comment', '<!-- /slipway plan -->'],
    ['an HTML comment over lines', '<!--\n/slipway plan\n-->'],
    ['an HTML comment behind it', `/slipway approve ${ID} <!-- not -->`],
    ['a list', '- /slipway plan'],
    ['another word', '/slipwayplan'],
    ['another slash', '／slipway plan'],
    ['a zero-width space', '/slip\u200bway plan'],
    ['a zero-width joiner in the verb', '/slipway pl\u200dan'],
    ['a zero-width space at its end', '/slipway plan\u200b'],
    ['a look-alike of another alphabet', '/slipway \u0440lan'],
    ['a look-alike in the first word', '/sl\u0456pway plan'],
    ['a look-alike in an argument', '/slipway promote st\u0430ging production'],
    ['text turned around', '/slipway promote \u202Eproduction staging'],
    ['text turned around in the name that is frozen', '/slipway freeze \u202Eproduction why'],
    ['a byte order mark', '\uFEFF/slipway plan'],
    ['a NUL', '/slipway plan\u0000'],
    ['a very long line', `/slipway freeze production ${'x'.repeat(2_000)}`],
    ['nothing', ''],
  ])('is not one with %s', (_, body) => {
    expect(parseCommand(body)).toBe(null);
  });

  it.each([
    ['/slipway aprove 1a2b3c4d5e6f', USAGE.approve],
    ['/slipway rolback', USAGE.rollback],
    ['/slipway plna', USAGE.plan],
    ['/slipway deploy-everything-now', '/slipway help'],
    [`/slipway approve ${ID.slice(1)}`, 'first 12 digits'],
    ['/slipway approve', USAGE.approve],
    [`/slipway approve ${ID} now`, USAGE.approve],
    ['/slipway approve zzzzzzzzzzzz', USAGE.approve],
    ['/slipway preview abc1234', 'whole commit id'],
    ['/slipway promote staging', USAGE.promote],
    ['/slipway promote staging staging', 'two different'],
    ['/slipway rollback production 0', USAGE.rollback],
    ['/slipway rollback ../etc', USAGE.rollback],
    ['/slipway unfreeze a b', USAGE.unfreeze],
    ['/slipway plan please', USAGE.plan],
  ])('%j is answered with what is meant', (body, words) => {
    expect(parseCommand(body)).toEqual({ kind: 'mistaken', suggestion: expect.stringContaining(words) });
  });

  it('is read in no time however long the comment is, and never throws', () => {
    const before = performance.now();
    for (const piece of [' ', '\n', '\t', '\r', '/', 'a ', '> '])
      for (const start of ['', '/slipway ', '/slipway freeze ']) parseCommand(start + piece.repeat(300_000));
    expect(performance.now() - before).toBeLessThan(1_000);
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseCommand(`/slipway ${text}`)));
  });

  it('says nothing of the comment but checked words', () => {
    const word = fc.oneof(
      fc.constantFrom(...Object.keys(USAGE), 'freeze', '<b>', '@acme/ops', '[x](http://a)'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 4 }), (words) => {
        const parsed = parseCommand(`/slipway ${words.join(' ')}`);
        const said = parsed?.kind === 'command' ? parsed.text : (parsed?.suggestion ?? '');
        expect(said).toMatch(/^[A-Za-z0-9_ ,;:.?/[\]-]*$/);
        // Nothing links: brackets stand in the usage of commands only.
        expect(said).not.toMatch(/\]\(|:\/\//);
      }),
    );
  });
});
