/** Words for values of specs, as a manifest would write them. Text for display: renderers escape it. */
import { digestOf } from '../../schemas/canonical.ts';
import type { Amount, Mount, Placement, PublishedPort, Readiness, Route, Strategy } from '../../schemas/service.ts';

const LONGEST_VALUE = 200;

/** Milliseconds in the largest unit that divides them: `90s`, `2m`, `250ms`. */
export function durationText(ms: number): string {
  const units = [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1_000],
  ] as const;
  const unit = units.find(([, size]) => ms >= size && ms % size === 0);
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`;
}

/** Bytes in the largest binary unit that divides them: `256Mi`. */
export function sizeText(bytes: number): string {
  const units = [
    ['Gi', 1024 ** 3],
    ['Mi', 1024 ** 2],
    ['Ki', 1024],
  ] as const;
  const unit = units.find(([, size]) => bytes >= size && bytes % size === 0);
  return unit === undefined ? `${bytes}` : `${bytes / unit[1]}${unit[0]}`;
}

/** The text, cut to a length that a plan record can carry a thousand of; two that differ still do when cut. */
export function cut(text: string): string {
  if (text.length <= LONGEST_VALUE) return text;
  return `${text.slice(0, LONGEST_VALUE)}… (${text.length} characters, ${digestOf(text).slice(0, 8)})`;
}

function amountText(amount: Amount): string {
  return 'percent' in amount ? `${amount.percent}%` : `${amount.count}`;
}

export function strategyText(strategy: Strategy): string {
  switch (strategy.kind) {
    case 'rolling':
      return `rolling, max_surge ${amountText(strategy.maxSurge)}, max_unavailable ${amountText(strategy.maxUnavailable)}`;
    case 'recreate':
      return 'recreate';
    case 'blue-green':
      return `blue_green, hold ${durationText(strategy.holdMs)}`;
  }
}

export function mountText(mount: Mount): string {
  const flag = 'readonly' in mount && mount.readonly ? ' (readonly)' : '';
  switch (mount.kind) {
    case 'volume':
      return `volume ${mount.volume} at ${mount.target}${flag}`;
    case 'bind':
      return `bind ${mount.path} at ${mount.target}${flag}`;
    case 'tmpfs':
      return `tmpfs at ${mount.target}${mount.sizeBytes === null ? '' : `, ${sizeText(mount.sizeBytes)}`}`;
    case 'secret':
      return `secret ${mount.secret} at ${mount.target}`;
  }
}

export function routeText(route: Route): string {
  return route.kind === 'http'
    ? `http ${route.hostname}${route.pathPrefix} to ${route.port}`
    : `tcp ${route.listenPort} to ${route.port}`;
}

export function publishText(port: PublishedPort): string {
  return `${port.protocol} ${port.hostPort} to ${port.port}`;
}

/** A readiness probe on one line. */
export function readinessText(readiness: Readiness | null): string {
  if (readiness === null) return 'none';
  const { probe } = readiness;
  const what =
    probe.kind === 'http'
      ? `http :${probe.port}${probe.path}`
      : probe.kind === 'tcp'
        ? `tcp :${probe.port}`
        : `exec ${JSON.stringify(probe.command)}`;
  const liveness = readiness.livenessTimeoutMs === null ? 'never' : durationText(readiness.livenessTimeoutMs);
  return `${what}, interval ${durationText(readiness.intervalMs)}, timeout ${durationText(readiness.timeoutMs)}, retries ${readiness.retries}, start_period ${durationText(readiness.startPeriodMs)}, liveness_timeout ${liveness}`;
}

/** The constraints of a placement as words; empty: any machine. */
export function constraintText(placement: Placement): string {
  const labels = Object.entries(placement.labels)
    .map(([name, value]) => `label ${name}=${value}`)
    .toSorted();
  return [
    ...(placement.machines.length === 0 ? [] : [`machines ${placement.machines.join(', ')}`]),
    ...labels,
    ...(placement.region === null ? [] : [`region ${placement.region}`]),
    ...(placement.zone === null ? [] : [`zone ${placement.zone}`]),
  ].join(', ');
}
