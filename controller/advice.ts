/** What to do about a failed pass: the last sentence of every message about one. Pure. */

/** `retryAtMs` null: not tried again by itself. `live`: something serves. */
export function advice(args: {
  readonly namespace: string;
  readonly code: string;
  readonly retryAtMs: number | null;
  readonly nowMs: number;
  readonly live: boolean;
  /** A deploy was begun, so its record has the evidence. */
  readonly deployed: boolean;
}): string {
  const { namespace, code, retryAtMs, nowMs, live, deployed } = args;
  const serves = live ? 'what was live goes on serving' : 'nothing is live yet';
  const evidence = deployed ? `; \`slipway deploys ${namespace}\` shows the evidence` : '';
  return `${serves}; ${next(namespace, code, retryAtMs, nowMs)}${evidence}`;
}

function next(namespace: string, code: string, retryAtMs: number | null, nowMs: number): string {
  if (retryAtMs !== null) return `it is tried again in ${Math.max(1, Math.round((retryAtMs - nowMs) / 1000))} s`;
  // The message itself names the command.
  if (code === 'CONSENT_NEEDED' || code === 'APPROVAL_NEEDED')
    return 'nothing happens until then, or until another commit';
  return `commit a change that mends it, or try the same again with \`slipway deploy ${namespace}\``;
}
