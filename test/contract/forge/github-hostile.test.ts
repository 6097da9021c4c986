/** The GitHub adapter before servers that are not GitHub: nothing of ours goes elsewhere, and nothing is believed blindly. */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../controller/execute/clock.ts';
import { createGithub } from '../../../controller/forge/github/github.ts';
import { QUICK } from './bench.ts';

const TOKEN = 'planted-token-of-nobody-7f3a';
const signal = () => AbortSignal.timeout(10_000);
const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

/** A server and what it was asked. */
async function server(answer: RequestListener): Promise<{ url: string; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const listening = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    listening.closeAllConnections();
    listening.close();
  });
  return { url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`, seen };
}

function adapter(apiUrl: string, lines: unknown[] = []) {
  const note = (...args: unknown[]) => void lines.push(args);
  return createGithub({
    apiUrl,
    owner: 'acme',
    repo: 'fleet',
    credentials: { kind: 'token', token: () => TOKEN },
    clock: systemClock,
    log: { debug: note, info: note, warn: note, error: note },
    throttle: false,
    limits: { ...QUICK, maxAnswerBytes: 1 << 20 },
  });
}

describe('a server that is not GitHub', () => {
  it('gets no credential by a link to another page', async () => {
    const other = await server((_, response) => response.end('[]'));
    const first = await server((_, response) => {
      const link = `<${other.url}/repos/acme/fleet/pulls?page=2>; rel="next"`;
      response.writeHead(200, { 'content-type': 'application/json', link }).end('[]');
    });
    await expect(adapter(first.url).listPulls(null, signal())).rejects.toMatchObject({ code: 'FORGE_INVALID' });
    expect(other.seen).toEqual([]);
  });

  it('gets no credential by a redirect', async () => {
    const other = await server((_, response) => response.writeHead(404).end());
    const first = await server((_, response) => response.writeHead(302, { location: `${other.url}/x` }).end());
    await expect(adapter(first.url).getPull(1, signal())).rejects.toMatchObject({ code: 'FORGE_REFUSED' });
    expect(other.seen.map((it) => it.headers.authorization)).toEqual([undefined, undefined]);
  });

  it('cannot make us say our credential, in whatever form it repeats it', async () => {
    const forms = [
      TOKEN,
      Buffer.from(TOKEN).toString('base64'),
      Buffer.from(`x-access-token:${TOKEN}`).toString('base64'),
      Buffer.from(TOKEN).toString('hex'),
    ];
    for (const form of forms) {
      const echo = await server((_, response) => {
        const headers = { 'content-type': 'application/json', deprecation: form, sunset: form };
        response.writeHead(403, headers).end(JSON.stringify({ message: `not for ${form}`, errors: [form] }));
      });
      const lines: unknown[] = [];
      const error: unknown = await adapter(echo.url, lines)
        .getPull(1, signal())
        .catch((it: unknown) => it);
      expect(error).toMatchObject({ code: 'FORGE_REFUSED', message: expect.stringContaining('not for') });
      const shown = inspect([error, lines], { depth: 20, showHidden: true });
      for (const it of forms) expect(shown).not.toContain(it);
    }
  });

  it.each([
    ['a page', 200, 'text/html', '<h1>Log in</h1>', /in a way that GitHub does not/],
    ['an answer of another shape', 200, 'application/json', '{"number":"7"}', /\(at number\)/],
    ['"not modified" to a question without a condition', 304, 'application/json', '', /answered 304/],
    ['half a JSON text', 200, 'application/json', '{"number":', /in a way that GitHub does not/],
    ['a body without end', 200, 'application/json', `"${'x'.repeat(2 << 20)}"`, /sends more than 1 MiB at once/],
  ])('that answers with %s is unavailable', async (_, status, type, body, message) => {
    const strange = await server((__, response) => response.writeHead(status, { 'content-type': type }).end(body));
    await expect(adapter(strange.url).getPull(1, signal())).rejects.toMatchObject({
      code: 'FORGE_UNAVAILABLE',
      message: expect.stringMatching(message),
    });
  });
});
