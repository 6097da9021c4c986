/** What may become text of a configuration, and what may not. */
import { expect, it } from 'vitest';
import { checkTable, type GatewayTable } from '../../../agent/gateway/layout.ts';
import { gatewayPaths } from '../../../agent/gateway/paths.ts';

const good: GatewayTable = {
  http: [{ host: 'a.test', pathPrefix: '/api/v1', backend: 'p/s/1' }],
  tcp: [{ listenPort: 5432, backend: 'p/s/1' }],
  backends: [{ key: 'p/s/1', endpoints: [{ id: 'abc123', address: '10.0.0.1', port: 80 }] }],
};
const route = (over: object): GatewayTable => ({ ...good, http: [{ ...good.http[0], ...over } as never] });
const endpoint = (over: object): GatewayTable => ({
  ...good,
  backends: [{ key: 'p/s/1', endpoints: [{ ...good.backends[0]?.endpoints[0], ...over } as never] }],
});

it('takes a table that says what it means', () => {
  expect(() => checkTable(good)).not.toThrow();
  expect(() => checkTable(route({ pathPrefix: '/' }))).not.toThrow();
  expect(() => checkTable(endpoint({ address: 'fd00::1' }))).not.toThrow();
});

it.each([
  ['a line break in a host', route({ host: 'a.test\nb.test' }), /hostname "a.test\\nb.test"/],
  ['an upper-case host', route({ host: 'A.test' }), /hostname "A.test"/],
  ['a command in a path', route({ pathPrefix: '/x;shutdown' }), /path/],
  ['a space in a path', route({ pathPrefix: '/x b9' }), /path/],
  ['a comment in a path', route({ pathPrefix: '/#' }), /path/],
  ['a path that ends with a slash', route({ pathPrefix: '/x/' }), /path/],
  ['an endpoint with a name for an address', endpoint({ address: 'evil.test' }), /endpoint/],
  ['an endpoint with options in its id', endpoint({ id: 'x backup' }), /endpoint/],
  ['port 0', endpoint({ port: 0 }), /endpoint/],
  ['a listen port beyond 65535', { ...good, tcp: [{ listenPort: 70_000, backend: 'p/s/1' }] }, /listen port 70000/],
  ['a backend that is not there', route({ backend: 'p/other/1' }), /unknown backend p\/other\/1/],
  ['two routes for one place', { ...good, http: [...good.http, ...good.http] }, /two routes for a.test\/api\/v1/],
  ['two services on one port', { ...good, tcp: [...good.tcp, ...good.tcp] }, /two services for port 5432/],
  ['a backend twice', { ...good, backends: [...good.backends, ...good.backends] }, /backend p\/s\/1 twice/],
])('refuses %s', (_, table, message) => {
  expect(() => checkTable(table)).toThrow(message);
  expect(() => checkTable(table)).toThrow(expect.objectContaining({ code: 'GATEWAY_FAILED' }));
});

it('a state directory whose sockets would not fit is refused with a reason', () => {
  expect(() => gatewayPaths(`/${'x'.repeat(100)}`, '0badcafe')).toThrow(/too long a path for sockets/);
});
