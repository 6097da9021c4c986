/** Errors of the Docker Engine → SlipwayError, by status code. Pure. */
import { type ErrorCode, SlipwayError } from '../../schemas/errors.ts';

/** What the engine says in the middle of a stream that began well. */
export class StreamRefusal extends Error {
  override readonly name = 'StreamRefusal';
}

interface Foreign {
  statusCode?: number;
  code?: string;
  name?: string;
  message?: string;
  json?: { message?: string } | null;
}

/** Status of an error that the engine answered with; null when it did not answer. */
export function statusOf(error: unknown): number | null {
  if (error instanceof SlipwayError)
    return typeof error.details['status'] === 'number' ? error.details['status'] : null;
  return (error as Foreign).statusCode ?? null;
}

/** Wraps whatever a call to the engine threw. `doing`: "start container web.0". */
export function engineError(doing: string, error: unknown): SlipwayError {
  if (error instanceof SlipwayError) return error;
  const foreign = error as Foreign;
  const status = foreign.statusCode ?? null;
  if (foreign.name === 'StreamRefusal')
    return new SlipwayError('ENGINE_FAILED', `Docker could not ${doing}: ${said(foreign)}`, {}, error);
  if (status === null) return new SlipwayError('ENGINE_UNAVAILABLE', `Docker does not answer (${doing})`, {}, error);
  return new SlipwayError('ENGINE_FAILED', `Docker could not ${doing}: ${said(foreign)}`, { status }, error);
}

/** Wraps what a pull or a registry lookup threw. */
export function registryError(ref: string, error: unknown): SlipwayError {
  if (error instanceof SlipwayError) return error;
  const foreign = error as Foreign;
  const failed = (code: ErrorCode, message: string) => new SlipwayError(code, message, { image: ref }, error);
  // A layer stream that ends in an error has no status; neither has an engine that is away.
  if (foreign.statusCode === undefined && typeof foreign.code === 'string')
    return failed('ENGINE_UNAVAILABLE', `Docker does not answer (pull ${ref})`);
  return failed(...registryCode(ref, foreign));
}

// The engine answers 404 or 500 alike for what the registry told it; only its text says which (Docker 20.10 to 28).
function registryCode(ref: string, foreign: Foreign): [ErrorCode, string] {
  const text = said(foreign);
  // strerror(3) of ENOSPC: a layer could not be written.
  if (/no space left on device/i.test(text)) return ['DISK_FULL', `${ref} was not pulled: the disk of Docker is full`];
  if (/no matching manifest|does not match the specified platform|no match for platform/i.test(text))
    return ['IMAGE_PLATFORM', `${ref} does not exist for the platform of this machine`];
  if (/unauthorized|no basic auth|authentication required|access to the resource is denied|forbidden/i.test(text))
    return ['IMAGE_UNAUTHORIZED', `the registry of ${ref} wants credentials, or the image does not exist`];
  if (foreign.statusCode === 404 || /not found|manifest unknown|name unknown/i.test(text))
    return ['IMAGE_NOT_FOUND', `no registry has ${ref}`];
  if (foreign.statusCode === 400) return ['IMAGE_NOT_FOUND', `${ref} is not an image that can be pulled: ${text}`];
  return ['REGISTRY_UNAVAILABLE', `the registry of ${ref} does not answer: ${text}`];
}

function said(foreign: Foreign): string {
  return (foreign.json?.message ?? foreign.message ?? 'no reason given').trim();
}
