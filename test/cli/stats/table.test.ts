/** Statistics as a person reads them. */
import { expect, it } from 'vitest';
import { statsRows } from '../../../cli/stats/table.ts';

const sample = {
  namespace: 'shop',
  slot: 'web.0',
  machine: 'm1',
  at: '',
  cpuMillicores: 250,
  memoryBytes: 64 * 2 ** 20,
  memoryLimitBytes: 256 * 2 ** 20,
  rxBytes: 1023,
  txBytes: 1536,
};

it('shows what is used of what is allowed', () => {
  expect(statsRows([sample])).toEqual([['shop/web.0', 'm1', '250m', '64.0Mi', '256.0Mi', '25.0 %', '1023', '1.5Ki']]);
});

it('orders slots by number, and divides by no limit', () => {
  const rows = statsRows([
    { ...sample, slot: 'web.10', memoryLimitBytes: 0 },
    { ...sample, slot: 'web.9' },
  ]);
  expect(rows.map((it) => [it[0], it[5]])).toEqual([
    ['shop/web.9', '25.0 %'],
    ['shop/web.10', ''],
  ]);
});
