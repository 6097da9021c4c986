/**
 * The resolver process: `node main.js --dir <state>/dns --listen 10.210.N.1 [--port 53] [--resolv-conf PATH]`; with
 * `--replaces PID` it takes the place of the one that runs.
 *
 * It needs nothing but its folder: neither agent nor store nor engine have to run.
 */
import { mkdir } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { parseArgs } from 'node:util';
import { createLineLog } from './line-log.ts';
import { serve } from './serve.ts';

const { values } = parseArgs({
  options: {
    dir: { type: 'string' },
    listen: { type: 'string' },
    port: { type: 'string', default: '53' },
    'resolv-conf': { type: 'string', default: '/etc/resolv.conf' },
    build: { type: 'string' },
    replaces: { type: 'string' },
  },
});
const { dir, listen } = values;
const port = Number(values.port);
if (dir === undefined || listen === undefined || !isIPv4(listen) || !Number.isInteger(port) || port < 1) {
  process.stderr.write('usage: --dir FOLDER --listen ADDRESS [--port 53] [--resolv-conf /etc/resolv.conf]\n');
  process.exit(64);
}
const stopping = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stopping.abort());
// Terminals and log readers come and go; the resolver stays.
process.on('SIGHUP', () => {});
await mkdir(dir, { recursive: true, mode: 0o700 });
await serve({
  dir,
  listen,
  port,
  resolvConf: values['resolv-conf'],
  build: values.build,
  replaces: values.replaces === undefined ? null : Number(values.replaces),
  log: createLineLog((line) => process.stdout.write(line)),
  signal: stopping.signal,
});
process.exit(0);
