/** How a service runs: placement, jobs, strategy and times. Pure. */
import type { ManifestService } from '../../schemas/manifest.ts';
import { isGlobal, mountsOf } from './check-container.ts';
import { type Path, quoted } from './places.ts';
import { amountOf, durationMs, MAX_DURATION_MS } from './quantities.ts';
import type { Report } from './report.ts';

/** Checks of how instances come and go. */
export function checkRun(service: ManifestService, report: Report): void {
  checkPlacement(service, report);
  if (service.job === true) checkJob(service, report);
  checkStrategy(service, report);
  checkTimes(service, report);
}

function checkPlacement({ placement }: ManifestService, report: Report): void {
  if (typeof placement !== 'object') return;
  if (placement.replicated !== undefined && placement.global !== undefined) {
    report(['placement'], 'wants one of replicated and global');
  }
}

const NOT_FOR_JOBS = ['routes', 'publish', 'readiness', 'strategy', 'rollout'] as const;

function checkJob(service: ManifestService, report: Report): void {
  for (const key of NOT_FOR_JOBS) {
    const value = service[key];
    const isUsed = value !== undefined && !(Array.isArray(value) && value.length === 0);
    if (isUsed) report([key], 'a job runs once and ends: it cannot have this', { part: 'key' });
  }
  if (service.restart !== undefined && service.restart !== 'no') {
    report(['restart'], 'a job is not restarted', { hint: 'leave it out, or write "no"' });
  }
  const { placement } = service;
  const count = typeof placement === 'object' ? placement.replicated?.count : undefined;
  if (isGlobal(service)) report(['placement'], 'a job runs once, not on every machine');
  else if (count !== undefined && count !== 1)
    report(['placement', 'replicated', 'count'], 'a job runs once: its count is 1');
}

function checkStrategy(service: ManifestService, report: Report): void {
  const { strategy, rollout } = service;
  if (typeof strategy === 'object') {
    if (Object.keys(strategy).length !== 1)
      report(['strategy'], 'wants exactly one of rolling, recreate and blue_green');
    const { max_surge: surge = '100%', max_unavailable: unavailable = 0 } = strategy.rolling ?? {};
    if (strategy.rolling !== undefined && isNone(surge) && isNone(unavailable)) {
      report(['strategy', 'rolling'], 'with neither max_surge nor max_unavailable no instance could be replaced');
    }
  }
  const isBlueGreen =
    rollout === 'blue_green' ||
    strategy === 'blue_green' ||
    (typeof strategy === 'object' && strategy.blue_green !== undefined);
  const reason = isBlueGreen ? whyAlone(service) : null;
  if (reason !== null) {
    const path = rollout === undefined ? ['strategy'] : ['rollout'];
    report(path, `blue_green runs old and new side by side, but ${reason}`, { hint: 'use recreate or rolling' });
  }
}

function isNone(amount: string | number): boolean {
  const parsed = amountOf(amount);
  return 'percent' in parsed ? parsed.percent === 0 : parsed.count === 0;
}

/** Why two instances of one slot cannot run at the same time; null: they can. */
function whyAlone(service: ManifestService): string | null {
  const { service_ports: ports = [], publish = [], network } = service;
  if (network === 'host') return 'with network = "host" both would listen on the same port';
  const udp = publish.some(({ service_port: name }) => ports.some((it) => it.name === name && it.protocol === 'udp'));
  if (udp) return 'a published udp port can belong to one of them only';
  const writable = mountsOf(service).find(
    ({ mount }) => mount.readonly !== true && mount.source !== 'tmpfs' && mount.source.tmpfs === undefined,
  );
  return writable === undefined ? null : `both would write to ${quoted(writable.mount.target)}`;
}

interface TimeRule {
  readonly path: Path;
  readonly text: string | undefined;
  readonly minMs: number;
}

function checkTimes({ template, readiness = {}, strategy, deadline }: ManifestService, report: Report): void {
  const hold = typeof strategy === 'object' ? strategy.blue_green?.hold : undefined;
  const rules: TimeRule[] = [
    { path: ['template', 'stop_grace_period'], text: template.stop_grace_period, minMs: 0 },
    { path: ['readiness', 'interval'], text: readiness.interval, minMs: 100 },
    { path: ['readiness', 'timeout'], text: readiness.timeout, minMs: 100 },
    { path: ['readiness', 'start_period'], text: readiness.start_period, minMs: 0 },
    { path: ['readiness', 'liveness_timeout'], text: readiness.liveness_timeout, minMs: 1000 },
    { path: ['strategy', 'blue_green', 'hold'], text: hold, minMs: 0 },
    { path: ['deadline'], text: deadline, minMs: 1000 },
  ];
  for (const { path, text, minMs } of rules) {
    if (text === undefined) continue;
    const ms = durationMs(text);
    if (ms < minMs) report(path, `${quoted(text)} is less than ${minMs} ms`);
    if (ms > MAX_DURATION_MS) report(path, `${quoted(text)} is more than 24 days`);
  }
}
