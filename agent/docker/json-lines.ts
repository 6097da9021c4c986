/** Streams of JSON objects, one a line, cut anywhere by the transport. Pure. */

/** Gives the values that each chunk completes. */
export function createJsonLines(): { push(chunk: Buffer): unknown[] } {
  const decoder = new TextDecoder();
  let rest = '';
  return {
    push(chunk) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      return lines.flatMap((it) => (it.trim() === '' ? [] : [JSON.parse(it) as unknown]));
    },
  };
}
