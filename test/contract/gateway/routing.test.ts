/** Requests reach the service that their host and path name, and nobody else. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type App, app, ask, type Lab, lab, table } from './lab.ts';

let it1: Lab;
let apps: Record<'root' | 'api' | 'deep' | 'other', App>;

beforeAll(async () => {
  it1 = await lab();
  apps = { root: await app('root'), api: await app('api'), deep: await app('deep'), other: await app('other') };
  await it1.gateway.apply(
    table({
      'a.test': [apps.root],
      'a.test/api': [apps.api],
      'a.test/api/v2': [apps.deep],
      'b.test/only': [apps.other],
      'empty.test': [],
    }),
  );
});

afterAll(async () => {
  await it1[Symbol.asyncDispose]();
  await Promise.all(Object.values(apps).map((it) => it.kill()));
});

describe('the longest path prefix decides, at whole path segments', () => {
  it.each([
    ['/', 'root'],
    ['/apix', 'root'],
    ['/apix/v2', 'root'],
    ['/api', 'api'],
    ['/api/', 'api'],
    ['/api?x=/api/v2', 'api'],
    ['/api/v1', 'api'],
    ['/api/v2', 'deep'],
    ['/api/v2/x/y', 'deep'],
    ['/api/v20', 'api'],
    ['/API', 'root'],
  ])('%s goes to %s', async (path, name) => {
    expect((await ask(it1.httpPort, { path })).body).toBe(name);
  });
});

describe('the host decides, however it is written', () => {
  it.each([
    ['A.TEST', '/api', 200],
    ['a.test:80', '/api', 200],
    ['a.test.', '/api', 200],
    ['A.test.:8080', '/api', 200],
    ['a.test.evil', '/api', 404],
    ['xa.test', '/api', 404],
    ['b.test', '/', 404],
    ['b.test', '/onlyx', 404],
    ['b.test', '/only', 200],
    ['nobody.test', '/', 404],
  ])('%s%s answers %i', async (host, path, status) => {
    expect((await ask(it1.httpPort, { host, path })).status).toBe(status);
  });

  it('a request without a host is told so by the gateway', async () => {
    expect(await raw(it1.httpPort, 'GET / HTTP/1.0\r\n\r\n')).toMatch(/404 slipway gateway: no route for this host/);
  });
});

it('an answer for an unknown host says who answers and repeats nothing of the request', async () => {
  const answer = await ask(it1.httpPort, {
    host: 'nobody.test',
    path: '/%3Cscript%3E',
    headers: { 'x-a': '<script>' },
  });
  expect(answer.body).toBe('404 slipway gateway: no route for this host and path\n');
  expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
});

it('a service without a ready instance answers 503 at once', async () => {
  const before = Date.now();
  const answer = await ask(it1.httpPort, { host: 'empty.test' });
  expect([answer.status, answer.body]).toEqual([503, '503 slipway gateway: no instance of this service is ready\n']);
  expect(Date.now() - before).toBeLessThan(500);
});

it('headers that say where a request came from are ours, whatever the client claims', async () => {
  const forged = {
    'x-forwarded-for': '6.6.6.6',
    'x-forwarded-proto': 'https',
    'x-forwarded-prefix': '/evil',
    'x-real-ip': '6.6.6.6',
    forwarded: 'for=6.6.6.6',
    proxy: 'http://evil',
  };
  const headers = JSON.parse((await ask(it1.httpPort, { path: '/headers', headers: forged })).body) as object;
  expect(headers).toMatchObject({
    host: 'a.test',
    'x-forwarded-for': '127.0.0.1',
    'x-real-ip': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'a.test',
  });
  expect(JSON.stringify(headers)).not.toMatch(/6\.6\.6\.6|evil/);
});

function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    connect(port, '127.0.0.1')
      .on('data', (part) => {
        answer += String(part);
      })
      .on('end', () => resolve(answer))
      .on('error', reject)
      .end(text);
  });
}
