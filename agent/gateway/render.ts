/**
 * Layout → the complete configuration and map file of HAProxy. Pure: equal layouts give equal bytes.
 *
 * `shape` is a digest of everything but the servers. It stands in the configuration's description, so a running
 * HAProxy tells which shape it has: another one takes a reload, the same one never does.
 */
import { createHash } from 'node:crypto';
import type { Endpoint } from '../../schemas/routing.ts';
import { HANDOVER_SECTION, type Layout, type Section, tcpSection } from './layout.ts';
import type { GatewayPaths } from './paths.ts';

/** What does not change while the gateway runs. */
export interface RenderOptions {
  readonly installation: string;
  readonly paths: Pick<GatewayPaths, 'adminSocket' | 'handoverSocket' | 'routes'>;
  /** Whether the machine has IPv6. */
  readonly ipv6: boolean;
}

export interface Rendered {
  readonly config: string;
  readonly routes: string;
  readonly shape: string;
}

/** The files for a layout. */
export function render(layout: Layout, options: RenderOptions): Rendered {
  const empty = layout.sections.map((it) => ({ ...it, endpoints: [] }));
  const shape = createHash('sha256')
    .update(configText({ ...layout, sections: empty }, options, ''))
    .digest('hex')
    .slice(0, 16);
  return {
    config: configText(layout, options, shape),
    routes: layout.routes.map((it) => `${it.match} ${it.section}\n`).join(''),
    shape,
  };
}

/**
 * Options of a server, in the file and for `add server` (which inherits nothing). Checks only notice a machine that
 * died; readiness is the agent's. Faster ones call a busy machine dead.
 */
export const SERVER_OPTIONS = 'check inter 2s fastinter 1s downinter 1s fall 3 rise 1 weight 100';

/** `address:port`, with brackets around an IPv6 address. */
export function addressText({ address, port }: Pick<Endpoint, 'address' | 'port'>): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Name of the http frontend: says which port it has, if any. */
export function httpFrontend(port: number | null): string {
  return port === null ? 'http' : `http_${port}`;
}

/** Name of the frontend of a tcp port. */
export function tcpFrontend(port: number): string {
  return `listen_${port}`;
}

function configText(layout: Layout, options: RenderOptions, shape: string): string {
  const sections = new Map(layout.sections.map((it) => [it.name, it]));
  const tcpNames = new Set(layout.tcpPorts.map(tcpSection));
  const blocks = [
    global(options, shape),
    DEFAULTS,
    httpBlock(layout.httpPort, options),
    ...layout.tcpPorts.map((port) => tcpBlock(port, options)),
    ...layout.tcpPorts.map((port) => backend(sections.get(tcpSection(port)), 'tcp')),
    ...layout.sections.filter((it) => !tcpNames.has(it.name)).map((it) => backend(it, 'http')),
  ];
  return `${blocks.filter((it) => it !== '').join('\n\n')}\n`;
}

/** hard-stop-after: how long a worker that a reload replaced may keep its last sessions. */
function global({ installation, paths }: RenderOptions, shape: string): string {
  return `# Written by Slipway; changes are overwritten.
global
  description slipway ${installation} shape ${shape}
  master-worker
  stats socket ${paths.adminSocket} mode 600 level admin
  hard-stop-after 30m
  noreuseport
  fd-hard-limit 65536
  no strict-limits`;
}

/**
 * http-reuse never: a server connection belongs to one client connection, and http-keep-alive ends it before common
 * servers (5 s in Node.js) do; a request on a connection that the server just closed would be lost. retries apply to
 * connections that failed before anything was sent, so no request is ever made twice.
 */
const DEFAULTS = `defaults http
  mode http
  option idle-close-on-response
  option http-ignore-probes
  option redispatch 1
  retries 3
  http-reuse never
  timeout connect 2s
  timeout http-request 10s
  timeout http-keep-alive 4s
  timeout queue 10s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
  http-error status 400 content-type "text/plain; charset=utf-8" string "400 slipway gateway: this request is not valid HTTP\\n"
  http-error status 408 content-type "text/plain; charset=utf-8" string "408 slipway gateway: the request did not arrive in time\\n"
  http-error status 502 content-type "text/plain; charset=utf-8" string "502 slipway gateway: the service closed the connection without a valid answer\\n"
  http-error status 503 content-type "text/plain; charset=utf-8" string "503 slipway gateway: no instance of this service is ready\\n"
  http-error status 504 content-type "text/plain; charset=utf-8" string "504 slipway gateway: the service did not answer in time\\n"

defaults tcp
  mode tcp
  option clitcpka
  option srvtcpka
  option redispatch 1
  retries 3
  timeout connect 2s
  timeout client 24h
  timeout server 24h
  timeout tunnel 24h`;

/**
 * Headers that say where a request came from are set, never appended: nobody in front of us is trusted. What reaches a
 * worker that stops is handed to its successor, so an old worker begins no new session with any instance.
 */
function httpBlock(port: number | null, options: RenderOptions): string {
  return `frontend ${httpFrontend(port)} from http
${port === null ? '' : `${binds(port, options)}\n`}  bind unix@${options.paths.handoverSocket} mode 600 accept-proxy
  http-request set-var(txn.host) req.hdr(host),host_only,rtrim(.)
  http-request set-var-fmt(txn.match) "%[var(txn.host)]%[path]/"
  http-request set-var(txn.section) var(txn.match),map_beg(${options.paths.routes})
  http-request del-header X-Forwarded- -m beg
  http-request del-header Forwarded
  http-request del-header Proxy
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request return status 404 content-type "text/plain; charset=utf-8" string "404 slipway gateway: no route for this host and path\\n" unless { var(txn.section) -m found } or { stopping }
  use_backend ${HANDOVER_SECTION} if { stopping }
  use_backend %[var(txn.section)]

backend ${HANDOVER_SECTION} from http
  server successor unix@${options.paths.handoverSocket} send-proxy-v2`;
}

function tcpBlock(port: number, options: RenderOptions): string {
  return `frontend ${tcpFrontend(port)} from tcp
${binds(port, options)}
  default_backend ${tcpSection(port)}`;
}

function binds(port: number, { ipv6 }: RenderOptions): string {
  return ipv6 ? `  bind *:${port}\n  bind :::${port} v6only` : `  bind *:${port}`;
}

/** The balance algorithm must be a dynamic one, or servers could not be added. */
function backend(section: Section | undefined, mode: 'http' | 'tcp'): string {
  if (section === undefined) return '';
  const servers = section.endpoints.map((it) => `\n  server ${it.id} ${addressText(it)} ${SERVER_OPTIONS}`);
  return `backend ${section.name} from ${mode}
  balance ${mode === 'http' ? 'roundrobin' : 'leastconn'}${servers.join('')}`;
}
