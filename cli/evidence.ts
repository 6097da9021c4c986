/** What a failed instance left behind, for people. Pure. */
import type { Evidence } from '../schemas/step.ts';

/** The reason first; what follows is indented under it. */
export function evidenceLines(it: Evidence): string[] {
  const exit = it.exitCode === null || it.reason.includes('exit code') ? '' : `, exit code ${it.exitCode}`;
  const probe = it.lastProbe === null ? [] : [`  last probe: ${it.lastProbe}`];
  return [`${it.slot}: ${it.reason}${exit}`, ...probe, ...it.logs.map((line) => `  | ${line}`)];
}
