/** Redaction: no form of a secret that programs make of it is left in a text. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRedactor } from '../../trust/redact.ts';

const VALUE = 's3cret/+pass"word\\ ÿ$&';

function redacted(text: string, value: string | Buffer = VALUE): string {
  const redactor = createRedactor();
  redactor.know('db', Buffer.from(value));
  return redactor.redact(text);
}

describe('redact', () => {
  it.each([
    ['itself', VALUE],
    ['JSON', JSON.stringify({ password: VALUE })],
    ['percent-encoding', `https://example/?p=${encodeURIComponent(VALUE)}`],
    ['a form', new URLSearchParams({ p: VALUE }).toString()],
    ['hex', Buffer.from(VALUE).toString('hex')],
    ['capital hex', Buffer.from(VALUE).toString('hex').toUpperCase()],
    ['base64', Buffer.from(VALUE).toString('base64')],
    ['base64url', Buffer.from(VALUE).toString('base64url')],
    ['basic authorisation', `Basic ${Buffer.from(`user:${VALUE}`).toString('base64')}`],
    ['base64 at the third place', Buffer.from(`a:${VALUE}:b`).toString('base64')],
  ])('takes out %s', (_, text) => {
    const left = redacted(`before ${text} after`);
    expect(left).toContain('[secret db]');
    expect(left).toMatch(/^before .*after$/);
    expect(left).not.toContain(VALUE.slice(0, 6));
    expect(left).not.toContain(Buffer.from(VALUE).toString('base64').slice(4, 16));
  });

  it('takes out each line of a value of many lines', () => {
    const key = '-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n';
    expect(redacted('line: MIIEvQIBADANBg', key)).toBe('line: [secret db]');
    expect(redacted('cut: kqhkiG9w0BAQEF.', key)).toBe('cut: [secret db].');
  });

  it('leaves all other text alone, and knows nothing before it is told', () => {
    expect(createRedactor().redact(VALUE)).toBe(VALUE);
    expect(redacted('nothing to hide')).toBe('nothing to hide');
    expect(redacted('abc abc', 'abc')).toBe('abc abc');
  });

  it('finds every value in every surrounding, whatever its characters', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 8 }), fc.string(), fc.string(), (value, before, after) => {
        fc.pre(value.trim().length >= 8);
        const encoded = Buffer.from(value).toString('hex');
        expect(redacted(`${before}${value}${after}`, value)).not.toBe(`${before}${value}${after}`);
        expect(redacted(encoded, value)).not.toContain(encoded);
      }),
    );
  });
});
