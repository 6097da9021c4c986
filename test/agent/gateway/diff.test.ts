/** Changes lead from any running state to any layout, in an order that never leaves a service alone. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Actual, type Changes, commands, diff, withoutSuccessor } from '../../../agent/gateway/diff.ts';
import type { RouteEntry, Section } from '../../../agent/gateway/layout.ts';
import type { Server } from '../../../agent/gateway/parse.ts';

const MAP = '/g/routes.map';

function server(section: string, id: string, over: Partial<Server> = {}): Server {
  return { section, id, address: '10.0.0.1', port: 80, up: true, admin: 'ready', ...over };
}

function section(name: string, ...ids: string[]): Section {
  return { name, endpoints: ids.map((id) => ({ id, address: '10.0.0.1', port: 80 })) };
}

function lines(actual: Partial<Actual>, sections: readonly Section[], routes: readonly RouteEntry[] = []) {
  const {
    enter,
    open,
    routes: moved,
    leave,
  } = diff({ servers: [], routes: new Map(), ...actual }, { sections, routes });
  return [...enter, ...open, ...moved, ...leave].flatMap((it) => commands(it, MAP));
}

describe('commands', () => {
  it('a replacement enters without traffic, opens, and only then the old one leaves', () => {
    expect(lines({ servers: [server('b0', 'old')] }, [section('b0', 'new')])).toEqual([
      'add server b0/new 10.0.0.1:80 check inter 2s fastinter 1s downinter 1s fall 3 rise 1 weight 100',
      'enable health b0/new',
      'set server b0/new state drain',
      'set server b0/new health up',
      'set server b0/new weight 100',
      'set server b0/new state ready',
      'set server b0/old state drain',
    ]);
  });

  it.each(['drain', 'maint'] as const)('one in %s that is named again opens', (admin) => {
    expect(lines({ servers: [server('b0', 'it', { admin })] }, [section('b0', 'it')])).toEqual([
      'set server b0/it health up',
      'set server b0/it weight 100',
      'set server b0/it state ready',
    ]);
    expect(lines({ servers: [server('b0', 'it', { admin })] }, [section('b0')])).toEqual([]);
  });

  it('a new address is set before the server opens again', () => {
    expect(lines({ servers: [server('b0', 'it', { address: '10.0.0.9' })] }, [section('b0', 'it')])[0]).toBe(
      'set server b0/it addr 10.0.0.1 port 80',
    );
  });

  it('routes are added, then changed, then deleted', () => {
    const routes = new Map([
      ['gone/', 'b0'],
      ['moved/', 'b0'],
      ['same/', 'b0'],
    ]);
    const wanted = [
      { match: 'moved/', section: 'b1' },
      { match: 'new/', section: 'b1' },
      { match: 'same/', section: 'b0' },
    ];
    expect(lines({ routes }, [], wanted)).toEqual([
      `add map ${MAP} new/ b1`,
      `set map ${MAP} moved/ b1`,
      `del map ${MAP} gone/`,
    ]);
  });

  it('an IPv6 endpoint is written in brackets', () => {
    const it6 = [{ name: 'b0', endpoints: [{ id: 'x', address: 'fd00::1', port: 80 }] }];
    expect(lines({}, it6)[0]).toMatch(/^add server b0\/x \[fd00::1\]:80 check /);
  });
});

/** A model of what HAProxy does with changes. */
function carriedOut(actual: Actual, changes: Changes): Actual {
  const servers = new Map(actual.servers.map((it) => [`${it.section}/${it.id}`, it]));
  const routes = new Map(actual.routes);
  for (const it of [...changes.enter, ...changes.open, ...changes.routes, ...changes.leave]) {
    if (it.kind === 'route-add' || it.kind === 'route-set') routes.set(it.match, it.section);
    else if (it.kind === 'route-delete') routes.delete(it.match);
    else {
      const id = 'endpoint' in it ? it.endpoint.id : it.id;
      const name = `${it.section}/${id}`;
      const admin = it.kind === 'open' ? 'ready' : 'drain';
      const old = servers.get(name) ?? server(it.section, id);
      const place = 'endpoint' in it ? { address: it.endpoint.address, port: it.endpoint.port } : {};
      servers.set(name, { ...old, ...place, admin });
    }
  }
  return { servers: [...servers.values()], routes };
}

describe('from any state to any layout', () => {
  const name = fc.constantFrom('b0', 'b1', 'tcp_5');
  const id = fc.constantFrom('x', 'y', 'z');
  const address = fc.constantFrom('10.0.0.1', '10.0.0.2');
  const servers = fc.uniqueArray(
    fc.record({
      section: name,
      id,
      address,
      port: fc.constant(80),
      up: fc.boolean(),
      admin: fc.constantFrom('ready' as const, 'drain' as const, 'maint' as const),
    }),
    { selector: (it) => `${it.section}/${it.id}` },
  );
  const sections = fc.uniqueArray(
    fc.record({
      name,
      endpoints: fc.uniqueArray(fc.record({ id, address, port: fc.constant(80) }), { selector: (it) => it.id }),
    }),
    { selector: (it) => it.name },
  );
  const routes = fc.uniqueArray(fc.record({ match: fc.constantFrom('a/', 'b/', 'c/'), section: name }), {
    selector: (it) => it.match,
  });

  it('after the changes nothing is left to change, and no server vanished', () => {
    fc.assert(
      fc.property(servers, routes, sections, routes, (has, hasRoutes, wants, wantsRoutes) => {
        const actual = { servers: has, routes: new Map(hasRoutes.map((it) => [it.match, it.section])) };
        const wanted = { sections: wants, routes: wantsRoutes };
        const after = carriedOut(actual, diff(actual, wanted));
        expect(diff(after, wanted)).toEqual({ enter: [], open: [], routes: [], leave: [] });
        const names = new Set(after.servers.map((it) => `${it.section}/${it.id}`));
        for (const it of has) expect(names).toContain(`${it.section}/${it.id}`);
      }),
    );
  });
});

describe('who may not leave yet', () => {
  const stuck = (servers: readonly Server[], sections: readonly Section[], reachable: readonly string[]) => {
    const actual = { servers, routes: new Map<string, string>() };
    return [...withoutSuccessor(actual, sections, diff(actual, { sections, routes: [] }), new Set(reachable))];
  };

  it('the last one, while no newcomer accepts connections', () => {
    const servers = [server('b0', 'old')];
    expect(stuck(servers, [section('b0', 'new')], [])).toEqual(['b0']);
    expect(stuck(servers, [section('b0', 'new')], ['b0/new'])).toEqual([]);
    expect(stuck(servers, [section('b0', 'old', 'new')], [])).toEqual([]);
  });

  it('one beside others that checks find down', () => {
    const servers = [server('b0', 'old'), server('b0', 'stays', { up: false })];
    expect(stuck(servers, [section('b0', 'stays')], [])).toEqual(['b0']);
    expect(stuck([server('b0', 'old'), server('b0', 'stays')], [section('b0', 'stays')], [])).toEqual([]);
  });

  it('but all of them where the table names nobody', () => {
    expect(stuck([server('b0', 'old')], [section('b0')], [])).toEqual([]);
    expect(stuck([server('b0', 'old')], [], [])).toEqual([]);
  });
});
