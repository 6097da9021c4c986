/**
 * Errors: every way an operation can fail, and what the reconcile loop does about each.
 *
 * Throw these for I/O and broken promises. Mistakes in a manifest are values (schemas/problem.ts): a
 * pull request needs all of them at once, not the first.
 */

/** `backoff`: try again soon. `wait`: look again at a fixed interval, no alarm. `new-revision`: only another commit can fix it. `operator`: a person must act. */
export type Retry = 'backoff' | 'wait' | 'new-revision' | 'operator';

/** Code → what the loop does, and what it means (the table of ARCHITECTURE.md is made of this). */
export const ERRORS = {
  SOURCE_UNAVAILABLE: {
    retry: 'backoff',
    means: 'The git repository, branch or object cannot be read. Nothing is removed for it.',
  },
  SOURCE_REWOUND: {
    retry: 'operator',
    means: 'The tracked branch no longer contains the revision last seen, and settings do not allow that.',
  },
  MANIFEST_INVALID: {
    retry: 'new-revision',
    means: 'The manifests of this revision have problems; each is listed with file and line.',
  },
  SETTINGS_INVALID: { retry: 'new-revision', means: 'slipway.toml has problems.' },
  STATE_UNAVAILABLE: { retry: 'backoff', means: 'NATS JetStream does not answer.' },
  STATE_CONFLICT: { retry: 'backoff', means: 'Somebody else wrote the same record first.' },
  STATE_FULL: { retry: 'operator', means: 'The disk or a limit of the JetStream store is exhausted.' },
  LEASE_HELD: { retry: 'wait', means: 'Another executor works on this namespace.' },
  LEASE_LOST: {
    retry: 'backoff',
    means: 'The lease expired while working; another executor finishes or voids the deploy.',
  },
  DEPLOY_LOST: { retry: 'backoff', means: 'Another executor ended this deploy first; the log says how.' },
  BASIS_MOVED: { retry: 'backoff', means: 'What the plan was made from has changed; it has to be made again.' },
  MACHINE_UNREACHABLE: { retry: 'wait', means: 'An agent does not answer.' },
  AGENT_TIMEOUT: { retry: 'backoff', means: 'A step did not end before its deadline.' },
  STEP_REFUSED: { retry: 'backoff', means: 'An agent refused a step: fenced, closed, or not trusted.' },
  STEP_FAILED: { retry: 'new-revision', means: 'A step failed on its machine; the evidence is attached.' },
  NEVER_READY: {
    retry: 'new-revision',
    means: 'An instance was not ready before its deadline; the old version serves.',
  },
  EXITED: { retry: 'new-revision', means: 'An instance ended before it was ready; the old version serves.' },
  JOB_FAILED: { retry: 'new-revision', means: 'A job ended with another code than 0.' },
  IMAGE_NOT_FOUND: { retry: 'new-revision', means: 'No engine and no registry has the image.' },
  IMAGE_PLATFORM: { retry: 'new-revision', means: 'The image does not exist for the platform of the machine.' },
  IMAGE_UNAUTHORIZED: { retry: 'operator', means: 'The registry wants credentials that the machine does not have.' },
  DISK_FULL: {
    retry: 'wait',
    means: "The disk of Docker's images is full; nothing is pulled until there is space, what runs goes on.",
  },
  REGISTRY_UNAVAILABLE: { retry: 'backoff', means: 'The registry does not answer.' },
  NO_CAPACITY: { retry: 'new-revision', means: 'No machine satisfies the placement, or none has enough memory.' },
  ROUTE_CONFLICT: { retry: 'new-revision', means: 'Another service already has this hostname and path.' },
  PORT_CONFLICT: { retry: 'new-revision', means: 'Another service or another program has this port.' },
  VOLUME_IN_USE: { retry: 'operator', means: 'A volume that is to be removed is mounted by a live service.' },
  VOLUME_PINNED: { retry: 'new-revision', means: 'A volume lies on another machine than the slot would.' },
  SECRET_MISSING: {
    retry: 'operator',
    means: 'A secret that a service names is not set, or cannot be used as it asks; the loop goes on once it is set.',
  },
  SECRET_IN_USE: { retry: 'operator', means: 'A live release uses the secret.' },
  SECRET_UNREADABLE: {
    retry: 'operator',
    means: 'A secret cannot be opened with the keys of this machine, or cannot be put where a container sees it.',
  },
  RELEASE_TOO_LARGE: { retry: 'new-revision', means: 'The release record would exceed 900 KiB.' },
  NOT_SUPPORTED: { retry: 'new-revision', means: 'Asked for something that this version does not do.' },
  CONSENT_NEEDED: {
    retry: 'operator',
    means: 'The plan removes too much, or brings back what was rolled back, to run without consent.',
  },
  APPROVAL_NEEDED: { retry: 'operator', means: 'Plans of the namespace run only once somebody approved exactly them.' },
  FROZEN: { retry: 'operator', means: 'The namespace is frozen: nothing is deployed there until that is over.' },
  HELD: { retry: 'operator', means: 'The namespace is held; `slipway resume` lets the loop go on.' },
  ABORTED: { retry: 'operator', means: 'Somebody aborted the deploy.' },
  UNKNOWN_NAMESPACE: { retry: 'operator', means: 'No release of this namespace exists.' },
  UNKNOWN_SERVICE: { retry: 'operator', means: 'The live release of the namespace has no such service.' },
  UNKNOWN_RELEASE: { retry: 'operator', means: 'The namespace has no such release.' },
  UNKNOWN_VOLUME: { retry: 'operator', means: 'The namespace has no such volume.' },
  ENGINE_UNAVAILABLE: { retry: 'backoff', means: 'Docker does not answer.' },
  ENGINE_FAILED: { retry: 'new-revision', means: 'Docker refused to create or start a container.' },
  GATEWAY_FAILED: { retry: 'backoff', means: 'HAProxy did not take the configuration; the last good one serves.' },
  NETWORK_FAILED: { retry: 'backoff', means: 'The bridge, the packet filter or the resolver could not be set up.' },
  VOLUME_FAILED: { retry: 'operator', means: 'The volume driver failed.' },
  FORGE_UNAVAILABLE: {
    retry: 'backoff',
    means: 'The forge (GitHub) does not answer, or a limit of its API is reached; pull requests wait, deploys do not.',
  },
  FORGE_REFUSED: {
    retry: 'operator',
    means: 'The credentials for the forge are missing, wrong, or lack a right that is named.',
  },
  FORGE_INVALID: { retry: 'operator', means: 'The forge refuses what was sent to it.' },
  PULL_REFUSED: {
    retry: 'new-revision',
    means: 'What was asked of a pull request cannot be done with it: a fork, another head, no such preview.',
  },
  PROMOTION_REFUSED: {
    retry: 'operator',
    means: 'What a namespace runs cannot be promoted: it did not converge, or nothing of it fits the other namespace.',
  },
  UNTRUSTED: { retry: 'operator', means: 'A signature is missing, wrong, or by a key that is not on the list.' },
  BACKUP_INVALID: {
    retry: 'operator',
    means: 'The backup is damaged, encrypted, or of a version that this one cannot read; nothing was written.',
  },
  SETUP_FAILED: { retry: 'operator', means: 'A program that Slipway needs is missing or did not start.' },
  USAGE: { retry: 'operator', means: 'The command was called with arguments that do not fit.' },
} as const satisfies Record<string, { retry: Retry; means: string }>;

export type ErrorCode = keyof typeof ERRORS;

export class SlipwayError extends Error {
  override readonly name = 'SlipwayError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  /** @param message safe to show on a pull request: no secrets, no URLs with credentials. Those stay in `cause`. */
  constructor(code: ErrorCode, message: string, details: Record<string, unknown> = {}, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.details = details;
  }

  get retry(): Retry {
    return ERRORS[this.code].retry;
  }
}

/** Whether a value is a SlipwayError, optionally of one of the codes. */
export function isSlipwayError(value: unknown, ...codes: ErrorCode[]): value is SlipwayError {
  return value instanceof SlipwayError && (codes.length === 0 || codes.includes(value.code));
}
