import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeKey, decodeName, encodeKey, encodeName, keyMatches } from '../../store/encode.ts';

const name = fc.string({ unit: 'grapheme' });
const key = fc.array(name, { minLength: 1, maxLength: 5 });
/** What the KV client takes for a key (nats.js kv.ts validKeyRe), without empty tokens. */
const KV_KEY = /^[-/=\w]+(?:\.[-/=\w]+)*$/;

describe('encoding of names', () => {
  it('can be turned back, whatever the names are', () => {
    fc.assert(
      fc.property(key, (it) => {
        expect(decodeKey(encodeKey(it))).toEqual(it);
      }),
    );
  });

  it('never gives two lists of names the same key', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(encodeKey(a) === encodeKey(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
    );
  });

  it('gives only what NATS takes for a key, one token a name', () => {
    fc.assert(
      fc.property(key, (it) => {
        expect(encodeKey(it)).toMatch(KV_KEY);
        expect(encodeKey(it).split('.')).toHaveLength(it.length);
      }),
    );
  });

  it.each([
    ['production', 'production'],
    ['pr-42_x', 'pr-42_x'],
    ['web.0', 'web=2E0'],
    ['*', '=2A'],
    ['>', '=3E'],
    ['=', '=3D'],
    ['', '='],
    ['ü', '=C3=BC'],
    ['a b', 'a=20b'],
  ])('makes %j into %s', (plain, token) => {
    expect(encodeName(plain)).toBe(token);
    expect(decodeName(token)).toBe(plain);
  });

  it('refuses what cannot be turned back', () => {
    expect(() => encodeKey([])).toThrow('at least one name');
    expect(() => encodeName('\ud800')).toThrow('well-formed');
    expect(() => decodeName('a=zz')).toThrow('not a token of ours');
    expect(() => decodeName('a=2')).toThrow('not a token of ours');
  });

  it.each([
    ['>', 'a', true],
    ['>', 'a.b', true],
    ['a.>', 'a', false],
    ['a.>', 'a.b.c', true],
    ['a.*', 'a.b', true],
    ['a.*', 'a.b.c', false],
    ['*.1', 'a.1', true],
    ['*.1', 'a.11', false],
    ['a', 'ab', false],
  ])('matches %s against %s as NATS does', (filter, encoded, matches) => {
    expect(keyMatches(filter, encoded)).toBe(matches);
  });
});
