/** Trace points: nothing without the environment; a line each, and an end where it is asked for. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createTrace } from '../../store/trace.ts';

it('appends one line a point', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-trace-'));
  const file = join(folder, 'trace');
  const trace = createTrace({ env: { SLIPWAY_TRACE: file }, pid: 7 });
  trace('a');
  trace('b');
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  expect(lines.map((it) => JSON.parse(it) as unknown)).toEqual([
    { pid: 7, seq: 1, point: 'a' },
    { pid: 7, seq: 2, point: 'b' },
  ]);
  rmSync(folder, { recursive: true });
});

it('kills at the k-th point that matches, once; stops where a `!` asks for it', () => {
  const signals: string[] = [];
  const signal = (name: string) => signals.push(name);
  const trace = createTrace({ env: { SLIPWAY_KILL_AT: 'start#2' }, signal });
  trace('docker.start');
  trace('other');
  expect(signals).toEqual([]);
  trace('docker.start');
  trace('docker.start');
  expect(signals).toEqual(['SIGKILL']);
  createTrace({ env: { SLIPWAY_KILL_AT: '!gate#1' }, signal })('gate:last');
  expect(signals).toEqual(['SIGKILL', 'SIGSTOP']);
});

it('takes an order from a file while it runs, counts from there, and removes it before it is carried out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-trace-'));
  const file = join(folder, 'order');
  const signals: string[] = [];
  const trace = createTrace({
    env: { SLIPWAY_KILL_FILE: file },
    signal: (name) => signals.push(`${name} ${existsSync(file)}`),
  });
  trace('start');
  writeFileSync(file, 'start#1');
  trace('start');
  trace('start');
  expect(signals).toEqual(['SIGKILL false']);
  rmSync(folder, { recursive: true });
});

it('does nothing without the environment, and refuses a target that it does not understand', () => {
  createTrace({ env: {} })('a');
  expect(() => createTrace({ env: { SLIPWAY_KILL_AT: 'start' } })).toThrow(/SLIPWAY_KILL_AT/);
});
