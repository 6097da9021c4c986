/** Hostnames and ports that two services claim. */
import { describe, expect, it } from 'vitest';
import { type Claims, routeConflicts } from '../../routing/conflicts.ts';
import { httpRoute } from './builders.ts';

function claims(namespace: string, over: Partial<Claims> = {}): Claims {
  return { namespace, routes: [], hostPorts: [], ...over };
}

const tcp = (service: string, listenPort: number) => ({
  service,
  route: { kind: 'tcp' as const, listenPort, port: 1 },
});
const http = (service: string, hostname: string, path = '/') => ({ service, route: httpRoute(hostname, path) });
const port = (service: string, protocol: 'tcp' | 'udp', hostPort: number) => ({ service, protocol, hostPort });

describe('what two services cannot both have', () => {
  it.each([
    ['the same host and path', http('web', 'a.test'), http('other', 'a.test'), 'http', 'a.test/'],
    ['hosts that differ in case only', http('web', 'A.test'), http('other', 'a.TEST'), 'http', 'a.test/'],
    [
      'paths that differ in a slash only',
      http('web', 'a.test', '/x/'),
      http('other', 'a.test', '/x'),
      'http',
      'a.test/x',
    ],
    ['the same listen port', tcp('web', 5432), tcp('other', 5432), 'tcp', 'tcp port 5432'],
  ])('%s', (_, mine, theirs, kind, what) => {
    const others = [claims('prod', { routes: [theirs] })];
    expect(routeConflicts(claims('pr-1', { routes: [mine] }), others, [])).toEqual([
      { kind, what, service: 'web', with: { namespace: 'prod', service: 'other' } },
    ]);
  });

  it('a listen port and a published tcp port of the same number', () => {
    const others = [claims('prod', { routes: [tcp('other', 5432)] })];
    const mine = claims('pr-1', { hostPorts: [port('web', 'tcp', 5432)] });
    expect(routeConflicts(mine, others, [])).toMatchObject([{ kind: 'port', what: 'tcp port 5432' }]);
  });

  it('a port that the gateway has itself', () => {
    const mine = claims('prod', {
      routes: [tcp('web', 80)],
      hostPorts: [port('api', 'tcp', 443), port('dns', 'udp', 80)],
    });
    expect(routeConflicts(mine, [], [80, 443]).map((it) => [it.service, it.what, it.with.service])).toEqual([
      ['web', 'tcp port 80', 'gateway'],
      ['api', 'tcp port 443', 'gateway'],
    ]);
  });

  it('two lines of one namespace', () => {
    const mine = claims('prod', { routes: [http('web', 'a.test'), http('api', 'a.test')] });
    expect(routeConflicts(mine, [], [])).toEqual([
      { kind: 'http', what: 'a.test/', service: 'api', with: { namespace: 'prod', service: 'web' } },
    ]);
  });
});

describe('what goes together', () => {
  it.each([
    ['different paths of a host', http('web', 'a.test', '/a'), http('other', 'a.test', '/ab')],
    ['paths that differ in case', http('web', 'a.test', '/a'), http('other', 'a.test', '/A')],
    ['different listen ports', tcp('web', 1), tcp('other', 2)],
  ])('%s', (_, mine, theirs) => {
    expect(routeConflicts(claims('x', { routes: [mine] }), [claims('y', { routes: [theirs] })], [])).toEqual([]);
  });

  it('a tcp and a udp port of the same number', () => {
    const others = [claims('y', { hostPorts: [port('other', 'udp', 53)] })];
    expect(routeConflicts(claims('x', { hostPorts: [port('web', 'tcp', 53)] }), others, [])).toEqual([]);
  });

  it('a namespace and its own earlier release', () => {
    const same = claims('prod', { routes: [http('web', 'a.test')], hostPorts: [port('web', 'tcp', 9)] });
    expect(routeConflicts(same, [same], [])).toEqual([]);
  });
});
