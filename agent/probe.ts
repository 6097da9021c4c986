/**
 * One probe of one instance: http, tcp or a command in it. Never throws: what went wrong is the text of the result, and
 * a probe that could not be made at all has none.
 */
import { request } from 'node:http';
import { connect } from 'node:net';
import { isSlipwayError } from '../schemas/errors.ts';
import type { Probe } from '../schemas/service.ts';
import type { Engine } from './docker/port.ts';

interface ProbeResult {
  readonly ok: boolean;
  /** `GET /healthz on port 8080: 503` */
  readonly text: string;
}

interface ProbeTarget {
  readonly containerId: string;
  /** null: the instance has no network. */
  readonly address: string | null;
}

export type RunProbe = (
  probe: Probe,
  target: ProbeTarget,
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<ProbeResult | null>;

/** Probes over the network from this machine, and commands through the engine. */
export function createProbe({ engine }: { engine: Pick<Engine, 'exec'> }): RunProbe {
  return async (probe, target, timeoutMs, signal) => {
    const what = describe(probe);
    if (probe.kind === 'exec') return await exec(engine, probe.command, target, timeoutMs, signal);
    if (target.address === null) return { ok: false, text: `${what}: the container has no network` };
    const said =
      probe.kind === 'http'
        ? http(target.address, probe, timeoutMs, signal)
        : tcp(target.address, probe.port, timeoutMs, signal);
    const { ok, text } = await said;
    return { ok, text: `${what}: ${text}` };
  };
}

function describe(probe: Probe): string {
  if (probe.kind === 'exec') return `command ${probe.command[0]}`;
  return probe.kind === 'http' ? `GET ${probe.path} on port ${probe.port}` : `connect to port ${probe.port}`;
}

function http(host: string, probe: { port: number; path: string }, timeoutMs: number, signal: AbortSignal) {
  return new Promise<ProbeResult>((resolve) => {
    // No keep-alive: an application that closes idle connections would fail every other probe.
    const asked = request(
      {
        host,
        port: probe.port,
        path: probe.path,
        agent: false,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      },
      (answer) => {
        const status = answer.statusCode ?? 0;
        answer.destroy();
        resolve({ ok: status >= 200 && status < 400, text: String(status) });
      },
    );
    asked.on('error', (error) => resolve({ ok: false, text: reason(error, timeoutMs) }));
    asked.end();
  });
}

function tcp(host: string, port: number, timeoutMs: number, signal: AbortSignal) {
  return new Promise<ProbeResult>((resolve) => {
    const socket = connect({ host, port, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
    socket.on('connect', () => {
      socket.destroy();
      resolve({ ok: true, text: 'connected' });
    });
    socket.on('error', (error) => resolve({ ok: false, text: reason(error, timeoutMs) }));
  });
}

async function exec(
  engine: Pick<Engine, 'exec'>,
  command: readonly string[],
  target: ProbeTarget,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ProbeResult | null> {
  try {
    const { exitCode, output } = await engine.exec(target.containerId, command, timeoutMs, signal);
    const said = output.trim().split('\n').at(-1)?.slice(0, 200) ?? '';
    return {
      ok: exitCode === 0,
      text: `command ${command[0]}: exit code ${exitCode}${said === '' ? '' : `, ${said}`}`,
    };
  } catch (error) {
    // An engine that restarts says nothing about the instance, which may well be serving.
    if (isSlipwayError(error, 'ENGINE_UNAVAILABLE')) return null;
    const text = isSlipwayError(error) ? error.message : reason(error as Error, timeoutMs);
    return { ok: false, text: `command ${command[0]}: ${text}` };
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to the container',
  ENETUNREACH: 'no route to the container',
};

function reason(error: NodeJS.ErrnoException, timeoutMs: number): string {
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  return REASONS[error.code ?? ''] ?? error.message;
}
