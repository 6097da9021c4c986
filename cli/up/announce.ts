/** Tells the person who ran `up` when something answers, and what to try next. */

import { readTracked } from '../../controller/tracked.ts';
import type { Connection } from '../connect.ts';
import type { Output } from '../output.ts';

const LOOK_MS = 250;
/** The gateway answers by itself while it does not know the route yet (agent/gateway/render.ts). */
const OWN_ANSWER = /^\d{3} slipway gateway: /;
const OWN_ANSWER_LENGTH = 100;

/** Prints once the first release with an http route is live and every slot of it is ready. */
export async function announce(args: {
  readonly connection: Connection;
  readonly output: Output;
  readonly signal: AbortSignal;
  /** The example is followed: say how to change it. */
  readonly example: boolean;
}): Promise<void> {
  const { connection, output, signal } = args;
  const url = await firstUrl(connection, signal);
  if (url === null) return;
  const tracked = await readTracked(connection.store.bucket('cluster'));
  output.line();
  output.line(`ready: ${url}`);
  if (tracked !== null) output.line(`fleet repository: ${tracked.location}`);
  if (!args.example || tracked === null) return;
  output.line('try next:');
  output.line(`  curl ${url}`);
  output.line(`  sed -i 's/slipway-example:1/slipway-example:2/' ${tracked.location}/namespaces/production.toml`);
  output.line(`  git -C ${tracked.location} commit --all --message "Version 2"    # live in about a second`);
  output.line('  slipway status; slipway releases production; slipway rollback production');
  output.line('Ctrl-C stops the controller; workloads go on.');
}

async function firstUrl(connection: Connection, signal: AbortSignal): Promise<string | null> {
  const { store, clock, installation } = connection;
  const port = installation.httpPort === 80 ? '' : `:${installation.httpPort}`;
  while (!signal.aborted) {
    try {
      for (const namespace of await store.log.namespaces()) {
        const live = await store.log.live(namespace);
        const route = live?.routes.map((it) => it.route).find((it) => it.kind === 'http');
        if (live === null || route?.kind !== 'http') continue;
        const url = `http://${route.hostname}${port}${route.pathPrefix}`;
        if (await answers(installation.httpPort, route.hostname, route.pathPrefix)) return url;
      }
    } catch {
      // Not connected just now: asked again.
    }
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
  return null;
}

/** Whether the service answers, not the gateway for it. */
export async function answers(port: number, host: string, path: string): Promise<boolean> {
  const { request } = await import('node:http');
  return await new Promise((resolve) => {
    const call = request({ host: '127.0.0.1', port, path, headers: { host }, timeout: 2_000 }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += body.length < OWN_ANSWER_LENGTH ? chunk.toString() : ''));
      response.on('end', () => resolve((response.statusCode ?? 500) < 500 && !OWN_ANSWER.test(body)));
      response.on('error', () => resolve(false));
    });
    call.on('error', () => resolve(false));
    call.on('timeout', () => call.destroy());
    call.end();
  });
}
