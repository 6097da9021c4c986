/** Endpoints that leave, and ports that somebody else has. */
import { expect, it } from 'vitest';
import { conflictsOf } from '../../../agent/gateway/conflict.ts';
import type { GatewayTable } from '../../../agent/gateway/layout.ts';
import { createLeavers } from '../../../agent/gateway/leavers.ts';

function naming(...ids: string[]): GatewayTable {
  const endpoints = ids.map((id) => ({ id, address: '10.0.0.1', port: 80 }));
  return { http: [], tcp: [], backends: [{ key: 'p/s/1', endpoints }] };
}

function served(leavers: ReturnType<typeof createLeavers>, table: GatewayTable): string[] {
  leavers.named(table);
  return leavers.without(table).backends.flatMap((it) => it.endpoints.map((endpoint) => endpoint.id));
}

it('one that is being drained is not served, whatever tables say', () => {
  const leavers = createLeavers();
  leavers.begin('x');
  expect(served(leavers, naming('x', 'y'))).toEqual(['y']);
  expect(served(leavers, naming('y'))).toEqual(['y']);
  expect(served(leavers, naming('x', 'y'))).toEqual(['y']);
});

it('drained while no table names it, it may come back', () => {
  const leavers = createLeavers();
  served(leavers, naming('y'));
  leavers.begin('x');
  leavers.end('x');
  expect(served(leavers, naming('x'))).toEqual(['x']);
});

it('drained while a stale table names it, it comes back only after one that does not', () => {
  const leavers = createLeavers();
  served(leavers, naming('x'));
  leavers.begin('x');
  leavers.end('x');
  expect(served(leavers, naming('x'))).toEqual([]);
  expect(served(leavers, naming('y'))).toEqual(['y']);
  expect(served(leavers, naming('x'))).toEqual(['x']);
});

it('two drains of one endpoint both have to end', () => {
  const leavers = createLeavers();
  leavers.begin('x');
  leavers.begin('x');
  leavers.end('x');
  expect(served(leavers, naming('x'))).toEqual([]);
});

it('a held port is told to everybody who wanted it, once', () => {
  const table: GatewayTable = {
    http: [
      { host: 'a', pathPrefix: '/', backend: 'prod/web/1' },
      { host: 'b', pathPrefix: '/', backend: 'prod/web/2' },
    ],
    tcp: [{ listenPort: 5432, backend: 'prod/db/5432/local' }],
    backends: [],
  };
  const blocked = [
    { port: 80, holder: 'nginx (pid 1)' },
    { port: 5432, holder: 'postgres (pid 2)' },
  ];
  expect(conflictsOf(table, 80, blocked)).toEqual([
    { port: 80, holder: 'nginx (pid 1)', namespace: 'prod', service: 'web' },
    { port: 5432, holder: 'postgres (pid 2)', namespace: 'prod', service: 'db' },
  ]);
  expect(conflictsOf({ ...table, http: [], tcp: [] }, 80, blocked)).toEqual([]);
});
