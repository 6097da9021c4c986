/** Errors of the NATS client and server → SlipwayError, by class and code, never by text. */
import { JetStreamApiError, JetStreamError } from '@nats-io/jetstream';
import {
  AuthorizationError,
  ClosedConnectionError,
  ConnectionError,
  DrainingConnectionError,
  NoRespondersError,
  PermissionViolationError,
  ProtocolError,
  RequestError,
  TimeoutError,
} from '@nats-io/transport-node';
import { type ErrorCode, SlipwayError } from '../../schemas/errors.ts';

/** Source: nats-server server/errors.json. 10164 takes the place of 10071 from 2.12 on. */
const API_CODES: Readonly<Record<number, ErrorCode>> = {
  10071: 'STATE_CONFLICT',
  10164: 'STATE_CONFLICT',
  10002: 'STATE_FULL', // account resources exceeded
  10023: 'STATE_FULL', // insufficient resources
  10028: 'STATE_FULL', // memory resources exceeded
  10047: 'STATE_FULL', // storage resources exceeded
  10077: 'STATE_FULL', // the store failed: maximum bytes, or the disk
  10059: 'STATE_UNAVAILABLE', // stream not found: being made again
};

const MEANS: Partial<Record<ErrorCode, string>> = {
  STATE_CONFLICT: 'somebody else wrote it first',
  STATE_FULL: 'NATS has no space left for it',
  STATE_UNAVAILABLE: 'NATS JetStream does not answer',
};

const STREAM_NOT_FOUND = 10059;
const STREAM_NAME_TAKEN = 10058;
/** What a server says of a stream that another client makes at the very same moment. */
const SUBJECTS_OVERLAP = 10065;

/** Whether the server said that it has no such stream. */
export function isStreamMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND;
}

/** Whether there is a stream of that name already, made otherwise. */
export function isStreamTaken(error: unknown): boolean {
  return error instanceof JetStreamApiError && [STREAM_NAME_TAKEN, SUBJECTS_OVERLAP].includes(error.code);
}

/** Whether nobody listens on a subject; for a write to a stream: no stream takes it. */
export function isNobodyThere(error: unknown): boolean {
  if (error instanceof NoRespondersError) return true;
  if (error instanceof RequestError) return error.isNoResponders();
  // JetStreamNotEnabled is not exported; it is what the client makes of "no responders".
  return error instanceof Error && error.cause instanceof RequestError && error.cause.isNoResponders();
}

/** Whether a request was not answered in time. */
export function isTimeout(error: unknown): boolean {
  return error instanceof TimeoutError;
}

/** The error as callers of the store know it; bugs stay what they are. */
export function translate(error: unknown): unknown {
  if (error instanceof SlipwayError) return error;
  const code = codeOf(error);
  return code === null ? error : new SlipwayError(code, MEANS[code] ?? code, {}, error);
}

function codeOf(error: unknown): ErrorCode | null {
  // What the client makes of "JetStream is not enabled" is not exported.
  if (error instanceof Error && error.cause instanceof JetStreamApiError) return codeOf(error.cause);
  if (error instanceof JetStreamApiError) {
    return API_CODES[error.code] ?? (error.status >= 500 ? 'STATE_UNAVAILABLE' : null);
  }
  const unanswered = CONNECTION_ERRORS.some((type) => error instanceof type) || isNobodyThere(error);
  return unanswered ? 'STATE_UNAVAILABLE' : null;
}

const CONNECTION_ERRORS = [
  AuthorizationError,
  ClosedConnectionError,
  ConnectionError,
  DrainingConnectionError,
  JetStreamError,
  PermissionViolationError,
  ProtocolError,
  RequestError,
  TimeoutError,
] as const;
