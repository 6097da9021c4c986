/** The HTTP server as strangers meet it: over real sockets. */
import { createHmac, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHttpServer, type HttpLimits } from '../../../controller/http/server.ts';
import { silentLogger } from '../../../schemas/logger.ts';

const SECRET = 'first-secret';
const NEXT_SECRET = 'second-secret';
let stop: AbortController;
let wakes: number;
let healthy: boolean;

beforeEach(() => {
  stop = new AbortController();
  wakes = 0;
  healthy = true;
});

afterEach(() => stop.abort());

async function serve(args: { secrets?: string[]; limits?: Partial<HttpLimits>; port?: number } = {}) {
  const server = createHttpServer({
    port: args.port ?? 0,
    secrets: args.secrets ?? [SECRET, NEXT_SECRET],
    wake: () => wakes++,
    health: () => ({ ok: healthy, source: 'ok' }),
    metrics: () => 'slipway_up 1\n',
    log: silentLogger,
    ...(args.limits === undefined ? {} : { limits: args.limits }),
  });
  return await server.listen(stop.signal);
}

function sign(body: string | Uint8Array, secret = SECRET): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

async function push(url: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/hooks/push`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
  return { status: response.status, code: ((await response.json()) as { code: string }).code };
}

it('wakes for a hook signed by any of the secrets, over the raw bytes', async () => {
  const { url } = await serve();
  const bodies = ['{"ref": "refs/heads/main" }', '{}', '', new Uint8Array(randomBytes(1_000))];
  for (const body of bodies) {
    for (const secret of [SECRET, NEXT_SECRET]) {
      const answer = await push(url, body, { 'x-hub-signature-256': sign(body, secret) });
      expect(answer).toEqual({ status: 202, code: 'ACCEPTED' });
    }
  }
  expect(wakes).toBe(bodies.length * 2);
});

it('refuses what is forged, unsigned, or signed in another way, and does not wake', async () => {
  const { url } = await serve();
  const body = '{"ref":"refs/heads/main"}';
  const sha1 = createHmac('sha1', SECRET).update(body).digest('hex');
  const cases: [headers: Record<string, string>, code: string][] = [
    [{}, 'UNSIGNED'],
    [{ 'x-hub-signature-256': '' }, 'UNSIGNED'],
    [{ 'x-hub-signature-256': 'sha256=abc' }, 'UNSIGNED'],
    [{ 'x-hub-signature-256': `sha1=${sha1}` }, 'UNSIGNED'],
    [{ 'x-hub-signature': `sha1=${sha1}` }, 'UNSIGNED'],
    [{ 'x-hub-signature-256': sign(body, 'wrong') }, 'BAD_SIGNATURE'],
    [{ 'x-hub-signature-256': sign(body, '') }, 'BAD_SIGNATURE'],
    [{ 'x-hub-signature-256': sign(`${body} `) }, 'BAD_SIGNATURE'],
  ];
  for (const [headers, code] of cases) expect(await push(url, body, headers)).toEqual({ status: 401, code });
  expect(wakes).toBe(0);
});

it('takes a replayed delivery without waking again, and a forged one does not use its id up', async () => {
  const { url } = await serve();
  const delivery = { 'x-github-delivery': 'd-1' };
  await push(url, '{}', { 'x-hub-signature-256': sign('{}', 'wrong'), ...delivery });
  const signed = { 'x-hub-signature-256': sign('{}'), ...delivery };
  expect(await push(url, '{}', signed)).toEqual({ status: 202, code: 'ACCEPTED' });
  expect(await push(url, '{}', signed)).toEqual({ status: 202, code: 'SEEN_BEFORE' });
  expect(wakes).toBe(1);
});

it('refuses a body above the limit by its announced length and while it streams', async () => {
  const { url, port } = await serve();
  const large = new Uint8Array(2 ** 20 + 1);
  await expect(push(url, large, { 'x-hub-signature-256': sign(large) })).resolves.toMatchObject({ status: 413 });
  const exact = new Uint8Array(2 ** 20);
  expect(await push(url, exact, { 'x-hub-signature-256': sign(exact) })).toMatchObject({ status: 202 });
  const client = raw(port, [...HEAD, `X-Hub-Signature-256: ${sign('')}`, 'Transfer-Encoding: chunked']);
  const chunk = `10000\r\n${'a'.repeat(0x10000)}\r\n`;
  let sent = 0;
  while (sent < 200 && !client.ended()) {
    client.socket.write(chunk);
    sent++;
    await sleep(1);
  }
  await client.closed;
  expect(client.text()).toContain('HTTP/1.1 413');
  expect(sent).toBeLessThan(200);
  expect(wakes).toBe(1);
});

it('cuts off senders that are slow with their body or their headers', async () => {
  const { port } = await serve({ limits: { bodyTimeoutMs: 300, headersTimeoutMs: 300 } });
  const slowBody = raw(port, [...HEAD, `X-Hub-Signature-256: ${sign('{}')}`, 'Content-Length: 2']);
  const slowHeaders = raw(port, [], 'POST /hooks/push HTTP/1.1\r\nHost: x\r\n');
  await Promise.all([slowBody.closed, slowHeaders.closed]);
  expect(slowBody.text()).toContain('HTTP/1.1 408');
  expect(slowBody.text()).toContain('TOO_SLOW');
  expect(wakes).toBe(0);
});

it('refuses hooks without a secret, and a secret that is empty', async () => {
  const { url } = await serve({ secrets: [] });
  expect(await push(url, '{}', { 'x-hub-signature-256': sign('{}', '') })).toEqual({ status: 403, code: 'HOOKS_OFF' });
  await expect(serve({ secrets: [SECRET, ' '] })).rejects.toMatchObject({ code: 'USAGE' });
});

it('refuses other content types', async () => {
  const { url } = await serve();
  const headers = { 'x-hub-signature-256': sign('{}'), 'content-type': 'text/plain' };
  expect(await push(url, '{}', headers)).toEqual({ status: 415, code: 'WRONG_TYPE' });
});

it('tells health and metrics, 404 for other paths and 405 for other methods', async () => {
  const { url } = await serve();
  const get = async (path: string, method = 'GET') => {
    const response = await fetch(`${url}${path}`, { method });
    return [response.status, response.headers.get('allow'), await response.text()];
  };
  expect(await get('/healthz')).toEqual([200, null, '{"ok":true,"source":"ok"}\n']);
  healthy = false;
  expect(await get('/healthz')).toEqual([503, null, '{"ok":false,"source":"ok"}\n']);
  expect(await get('/metrics?x=1')).toEqual([200, null, 'slipway_up 1\n']);
  expect((await get('/hooks/push')).slice(0, 2)).toEqual([405, 'POST']);
  expect((await get('/metrics', 'DELETE')).slice(0, 2)).toEqual([405, 'GET']);
  for (const path of ['/', '/hooks', '/hooks/push/', '/__proto__', '/constructor', '/healthz/../metrics/x']) {
    expect((await get(path))[0]).toBe(404);
  }
});

it('says when another program has its port, and frees it when stopped', async () => {
  const { port, closed } = await serve();
  await expect(serve({ port })).rejects.toMatchObject({ code: 'SETUP_FAILED' });
  stop.abort();
  await closed;
  stop = new AbortController();
  expect((await serve({ port })).port).toBe(port);
});

const HEAD = ['POST /hooks/push HTTP/1.1', 'Host: x', 'Content-Type: application/json'];

function raw(port: number, head: readonly string[], text = `${head.join('\r\n')}\r\n\r\n`) {
  const socket: Socket = connect(port, '127.0.0.1');
  let received = '';
  let ended = false;
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  socket.on('data', (it) => (received += it.toString()));
  socket.on('error', () => undefined).on('end', () => (ended = true));
  socket.on('close', () => (ended = true));
  socket.write(text);
  return { socket, closed, ended: () => ended, text: () => received };
}
