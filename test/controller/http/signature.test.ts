import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createDeliveries } from '../../../controller/http/deliveries.ts';
import { isSignedBy, looksSigned } from '../../../controller/http/signature.ts';

function sign(secret: string, body: Uint8Array): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

it('takes the example of the GitHub documentation', () => {
  const header = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17';
  expect(isSignedBy(["It's a Secret to Everybody"], Buffer.from('Hello, World!'), header)).toBe(true);
});

it('holds for exactly the bytes and the secrets', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.string({ minLength: 1 }), fc.nat(), (body, secret, at) => {
      const header = sign(secret, body);
      expect(isSignedBy(['another', secret], body, header)).toBe(true);
      expect(isSignedBy([`${secret}x`], body, header)).toBe(false);
      expect(isSignedBy([], body, header)).toBe(false);
      if (body.length === 0) return;
      const changed = Uint8Array.from(body);
      changed[at % body.length] = ((body[at % body.length] ?? 0) + 1) % 256;
      expect(isSignedBy([secret], changed, header)).toBe(false);
    }),
  );
});

it('knows the form of a signature', () => {
  const good = `sha256=${'0'.repeat(64)}`;
  expect(looksSigned(good)).toBe(true);
  expect(looksSigned(undefined)).toBe(false);
  for (const bad of ['', 'sha256=', `${good}0`, `sha1=${'0'.repeat(40)}`, ` ${good}`, `sha256=${'g'.repeat(64)}`]) {
    expect(looksSigned(bad)).toBe(false);
    expect(isSignedBy(['s'], Buffer.from(''), bad)).toBe(false);
  }
});

it('remembers the newest ids to its limit', () => {
  const deliveries = createDeliveries(3);
  expect(['a', 'b', 'c', 'a', 'd'].map((it) => deliveries.isNew(it))).toEqual([true, true, true, false, true]);
  // 'b' was the oldest: 'a' came again after it.
  expect(['a', 'c', 'd', 'b'].map((it) => deliveries.isNew(it))).toEqual([false, false, false, true]);
});
