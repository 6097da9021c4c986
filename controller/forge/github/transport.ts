/**
 * `fetch` with an end to every wait and a limit to every answer. The deadline begins when the request is really sent:
 * writes may wait in a queue before, which is no fault of the server's.
 */

/** A network failure whose message is safe to show. */
class Unreached extends Error {
  override readonly name = 'Unreached';
}

export interface TransportArgs {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** Answers are read whole before they are given; a 3xx is followed as `fetch` does, which drops credentials between origins. */
export function createTransport({ timeoutMs, maxBytes }: TransportArgs): typeof fetch {
  return async (input, init = {}) => {
    const outer = init.signal ?? null;
    const own = new AbortController();
    const onAbort = () => own.abort();
    outer?.addEventListener('abort', onAbort, { once: true });
    if (outer?.aborted === true) onAbort();
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      own.abort();
    }, timeoutMs);
    try {
      const response = await fetch(input, { ...init, signal: own.signal });
      return await whole(response, maxBytes);
    } catch (error) {
      if (late) throw new Unreached(`did not answer within ${timeoutMs / 1000} s`, { cause: error });
      // Octokit sends a request again for every error but this one.
      if (outer?.aborted === true) throw new DOMException('The caller gave up', 'AbortError');
      if (error instanceof Unreached) throw error;
      throw new Unreached(`cannot be reached (${codeOf(error)})`, { cause: error });
    } finally {
      clearTimeout(timer);
      outer?.removeEventListener('abort', onAbort);
    }
  };
}

/** Responses of these may not have a body (Fetch standard, "null body status"). */
const BODILESS = new Set([204, 205, 304]);

async function whole(response: Response, maxBytes: number): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBytes) throw new Unreached(`sends more than ${Math.floor(maxBytes / 2 ** 20)} MiB at once`);
    chunks.push(chunk);
  }
  const body = BODILESS.has(response.status) ? null : Buffer.concat(chunks);
  return new Response(body, { status: response.status, headers: response.headers });
}

/** What fetch rejects with hides the system's code in its cause. */
function codeOf(error: unknown): string {
  const code = ((error as { cause?: { code?: unknown } } | null)?.cause ?? {}).code;
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) ? code : 'connection cut';
}
