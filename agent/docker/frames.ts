/** Log streams of the Docker Engine: 8-byte frames (Engine API, "Attach to a container, Stream format") → lines. Pure. */
import type { LogLine } from './port.ts';

const HEADER_BYTES = 8;
const STDERR = 2;

/** A longer line is cut into pieces, so that a container that never ends a line cannot fill our memory. */
const MAX_LINE_BYTES = 64 * 1024;

/** Takes chunks as they come and gives the complete lines of each. Lines carry the timestamp that `timestamps=1` puts first. */
export function createFrameReader(): { push(chunk: Buffer): LogLine[]; end(): LogLine[] } {
  let pending: Buffer = Buffer.alloc(0);
  const rest: Record<LogLine['stream'], string> = { stdout: '', stderr: '' };

  function frames(): LogLine[] {
    const lines: LogLine[] = [];
    while (pending.length >= HEADER_BYTES) {
      const length = pending.readUInt32BE(4);
      if (pending.length < HEADER_BYTES + length) break;
      const stream = pending[0] === STDERR ? 'stderr' : 'stdout';
      rest[stream] += pending.toString('utf8', HEADER_BYTES, HEADER_BYTES + length);
      pending = pending.subarray(HEADER_BYTES + length);
      lines.push(...complete(stream));
    }
    return lines;
  }

  function complete(stream: LogLine['stream']): LogLine[] {
    const parts = rest[stream].split('\n');
    rest[stream] = parts.pop() ?? '';
    if (rest[stream].length > MAX_LINE_BYTES) parts.push(rest[stream].slice(0, MAX_LINE_BYTES));
    if (rest[stream].length > MAX_LINE_BYTES) rest[stream] = '';
    return parts.map((it) => logLine(stream, it));
  }

  return {
    push(chunk) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      return frames();
    },
    end() {
      return (['stdout', 'stderr'] as const).flatMap((it) => (rest[it] === '' ? [] : [logLine(it, rest[it])]));
    },
  };
}

function logLine(stream: LogLine['stream'], text: string): LogLine {
  const space = text.indexOf(' ');
  return { stream, at: space < 0 ? text : text.slice(0, space), line: space < 0 ? '' : text.slice(space + 1) };
}
