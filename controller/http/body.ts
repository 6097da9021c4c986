/** Reads the body of a request with an end: in bytes, counted while they stream, and in time. */
import type { IncomingMessage } from 'node:http';

/** The bytes, or why there are none. */
export type Body = { readonly bytes: Uint8Array } | { readonly refused: 'too-large' | 'too-slow' | 'cut' };

/** Reads until the end, `maxBytes` or `timeoutMs`, whichever comes first; the rest is not read. */
export async function readBody(request: IncomingMessage, maxBytes: number, timeoutMs: number): Promise<Body> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return { refused: 'too-large' };
  return await new Promise<Body>((resolve) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    const timer = setTimeout(() => end({ refused: 'too-slow' }), timeoutMs);
    function onData(chunk: Buffer): void {
      sizeBytes += chunk.byteLength;
      if (sizeBytes > maxBytes) end({ refused: 'too-large' });
      else chunks.push(chunk);
    }
    function onEnd(): void {
      end({ bytes: Buffer.concat(chunks) });
    }
    function onCut(): void {
      end({ refused: 'cut' });
    }
    function end(body: Body): void {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('close', onCut).off('error', onCut);
      request.on('error', () => undefined);
      request.pause();
      resolve(body);
    }
    request.on('data', onData).on('end', onEnd).on('close', onCut).on('error', onCut);
  });
}
