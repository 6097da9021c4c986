/** The configuration, byte for byte, and what makes a reload necessary. */
import { describe, expect, it } from 'vitest';
import { emptyAssignment } from '../../../agent/gateway/assign.ts';
import { type GatewayTable, layoutOf } from '../../../agent/gateway/layout.ts';
import { gatewayPaths } from '../../../agent/gateway/paths.ts';
import { render } from '../../../agent/gateway/render.ts';

const options = { installation: '0badcafe', paths: gatewayPaths('/state/gateway', '0badcafe'), ipv6: true };
const assignment = { sectionCount: 3, sections: { 'prod/web/8080': 'b0', 'prod/api/80': 'b2' } };
const table: GatewayTable = {
  http: [
    { host: 'a.test', pathPrefix: '/', backend: 'prod/web/8080' },
    { host: 'a.test', pathPrefix: '/api', backend: 'prod/api/80' },
  ],
  tcp: [{ listenPort: 5432, backend: 'prod/db/5432' }],
  backends: [
    { key: 'prod/api/80', endpoints: [] },
    { key: 'prod/db/5432', endpoints: [{ id: 'dddddddddddd', address: 'fd00::5', port: 5432 }] },
    {
      key: 'prod/web/8080',
      endpoints: [
        { id: 'aaaaaaaaaaaa', address: '10.210.1.2', port: 8080 },
        { id: 'bbbbbbbbbbbb', address: '10.210.1.3', port: 8080 },
      ],
    },
  ],
};
const open = { http: 80, blocked: new Set<number>() };

it('the whole configuration and the map', () => {
  const { config, routes } = render(layoutOf(table, assignment, open), options);
  expect(config).toMatchSnapshot();
  expect(routes).toBe('a.test/ b0\na.test/api/ b2\n');
});

describe('the shape', () => {
  const shapeOf = (it: GatewayTable, ports = open, sections = assignment) =>
    render(layoutOf(it, sections, ports), options).shape;

  it('stays the same when endpoints and http routes change', () => {
    const without = { ...table, http: [], backends: table.backends.map((it) => ({ ...it, endpoints: [] })) };
    expect(shapeOf(without)).toBe(shapeOf(table));
  });

  it.each([
    ['a port', () => shapeOf({ ...table, tcp: [] })],
    ['the spares', () => shapeOf(table, open, { ...assignment, sectionCount: 4 })],
    ['the http port', () => shapeOf(table, { ...open, http: 8080 })],
    ['a port that somebody else has', () => shapeOf(table, { ...open, blocked: new Set([5432]) })],
  ])('changes with %s', (_, changed) => {
    expect(changed()).not.toBe(shapeOf(table));
  });
});

it('ports that others have are left out, the rest stands', () => {
  const blocked = new Set([80, 5432]);
  const { config } = render(layoutOf(table, assignment, { http: 80, blocked }), { ...options, ipv6: false });
  expect(config.match(/^ {2}bind .*$/gm)).toEqual(['  bind unix@/state/gateway/handover.sock mode 600 accept-proxy']);
  expect(config).toContain('server aaaaaaaaaaaa 10.210.1.2:8080 check');
});

it('a new installation has only spares', () => {
  const empty = { http: [], tcp: [], backends: [] };
  const { config, routes } = render(layoutOf(empty, emptyAssignment, open), options);
  expect(config.match(/^backend b\d+ from http$/gm)).toHaveLength(64);
  expect(routes).toBe('');
});
