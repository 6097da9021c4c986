/** Redis' wire format as the tutorial's shop speaks it. */
import { describe, expect, it } from 'vitest';
import { decode, encode, RedisError } from '../../examples/tutorial/app/resp.mjs';

describe('a command to Redis', () => {
  it('says how many bytes each word has', () => {
    expect(encode(['SET', 'größe', 7])).toBe('*3\r\n$3\r\nSET\r\n$7\r\ngröße\r\n$1\r\n7\r\n');
  });
});

describe('an answer of Redis', () => {
  const NESTED = '*3\r\n$7\r\ngröße\r\n:-1\r\n*1\r\n$-1\r\n';

  it.each([
    ['+OK\r\n', 'OK'],
    [':12\r\n', 12],
    ['$-1\r\n', null],
    ['*-1\r\n', null],
    ['$0\r\n\r\n', ''],
    ['$4\r\na\r\nb\r\n', 'a\r\nb'],
    ['*0\r\n', []],
    [NESTED, ['größe', -1, [null]]],
    ['-ERR no\r\n', new RedisError('ERR no')],
  ])('%j is %j', (text, answer) => {
    const bytes = Buffer.from(text);
    expect(decode(bytes)).toEqual({ answer, next: bytes.length });
  });

  it('is waited for until it has arrived whole, wherever it is cut', () => {
    const bytes = Buffer.from(NESTED);
    for (let size = 0; size < bytes.length; size++) expect(decode(bytes.subarray(0, size))).toBeNull();
  });

  it('ends where the next one begins', () => {
    const bytes = Buffer.from('+A\r\n+B\r\n');
    const first = decode(bytes);
    expect(first).toEqual({ answer: 'A', next: 4 });
    expect(decode(bytes, first?.next)).toEqual({ answer: 'B', next: 8 });
  });
});
