/** Small formats that the resolver and its supervisor read. */
import { expect, it } from 'vitest';
import { createLineLog } from '../../../agent/dns/line-log.ts';
import { parseResolvConf } from '../../../agent/dns/resolv-conf.ts';
import { framed, frames } from '../../../agent/dns/tcp-frames.ts';
import { isAlive, parseStat, processRecord } from '../../../store/process-record.ts';

it('takes the servers of resolv.conf in order, three at most, and never ourselves', () => {
  const text = [
    '# nameserver 192.0.2.9',
    'search example.org',
    'nameserver 10.210.7.1',
    '  nameserver\t192.0.2.1 ',
    'nameserver fd00::53',
    'nameserver rubbish',
    'nameserver 192.0.2.1',
    'nameserver 192.0.2.2',
    'nameserver 192.0.2.3',
  ].join('\n');
  expect(parseResolvConf(text, '10.210.7.1')).toEqual(['192.0.2.1', 'fd00::53', '192.0.2.2']);
});

it('reads a process whose name imitates the format', () => {
  const line = `77 (a) S 1 (b) Z ${Array.from({ length: 18 }, (_, i) => i).join(' ')} 4242 0 0`;
  expect(parseStat(line)).toMatchObject({ state: 'Z', startTicks: '4242' });
});

it('knows this process, and tells it from an earlier one of its id', async () => {
  const own = await processRecord(process.pid);
  if (own === null) throw new Error('not found');
  expect(await isAlive(own)).toBe(true);
  expect(await isAlive({ ...own, startTicks: '1' })).toBe(false);
  expect(await isAlive({ ...own, bootId: 'another boot' })).toBe(false);
});

it('puts messages together from pieces of any size, and stops at one that is too long', () => {
  const stream = Buffer.concat([framed(Buffer.from('one')), framed(Buffer.from('')), framed(Buffer.from('three'))]);
  for (const size of [1, 2, 3, 100]) {
    const got: string[] = [];
    const take = frames(
      5,
      (message) => got.push(message.toString()),
      () => got.push('too long'),
    );
    for (let at = 0; at < stream.length; at += size) take(stream.subarray(at, at + size));
    take(framed(Buffer.from('sixsix')));
    take(framed(Buffer.from('late')));
    expect(got).toEqual(['one', '', 'three', 'too long']);
  }
});

it('logs one line of JSON an entry, with the text of errors', () => {
  const lines: string[] = [];
  createLineLog(
    (line) => lines.push(line),
    () => 5,
  ).warn({ err: new Error('broken') }, 'what');
  expect(lines).toEqual(['{"level":40,"time":5,"err":"broken","msg":"what"}\n']);
});
