/** What every hook is asked for before anything in it is believed: a secret of ours, a type, a signature, a bounded body. */
import type { IncomingMessage } from 'node:http';
import { type Answer, says } from './answer.ts';
import { readBody } from './body.ts';
import { isSignedBy, looksSigned } from './signature.ts';

export interface SignedBodyArgs {
  /** None: hooks are refused. Several while one is being replaced. */
  readonly secrets: readonly string[];
  readonly maxBodyBytes: number;
  readonly bodyTimeoutMs: number;
}

/** The bytes as they were signed, or the answer that refuses them. */
export type SignedBody =
  | { readonly bytes: Uint8Array; readonly type: ContentType }
  | { readonly refusal: Answer; readonly reason: string };

const TYPES = ['application/json', 'application/x-www-form-urlencoded'] as const;
export type ContentType = (typeof TYPES)[number];

const REFUSED_BODIES = {
  'too-large': says(413, 'TOO_LARGE', 'The body is larger than the limit.', { close: true }),
  'too-slow': says(408, 'TOO_SLOW', 'The body did not arrive in time.', { close: true }),
  cut: says(400, 'CUT', 'The body ended early.', { close: true }),
} as const;

/** Reads and checks; what can be refused without the body is refused before it is read. */
export async function readSigned(request: IncomingMessage, args: SignedBodyArgs): Promise<SignedBody> {
  if (args.secrets.length === 0) return refused(403, 'HOOKS_OFF', 'No hook secret is configured.', { close: true });
  const given = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase();
  const type = TYPES.find((it) => it === given);
  if (type === undefined) return refused(415, 'WRONG_TYPE', 'Send application/json.', { close: true });
  const signature = header(request, 'x-hub-signature-256');
  if (!looksSigned(signature)) {
    return refused(401, 'UNSIGNED', 'X-Hub-Signature-256 is missing or malformed.', { close: true });
  }
  const body = await readBody(request, args.maxBodyBytes, args.bodyTimeoutMs);
  if ('refused' in body) return { refusal: REFUSED_BODIES[body.refused], reason: body.refused };
  if (!isSignedBy(args.secrets, body.bytes, signature)) {
    return refused(401, 'BAD_SIGNATURE', 'The signature is not by a secret of this server.');
  }
  return { bytes: body.bytes, type };
}

/** A header that was sent once. */
export function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

function refused(status: number, code: string, message: string, rest: Partial<Answer> = {}): SignedBody {
  return { refusal: says(status, code, message, rest), reason: code };
}
