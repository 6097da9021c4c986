/** Attached streams of the Docker Engine: 8-byte frames (Engine API, "Attach to a container, Stream format") → bytes. Pure. */

const HEADER_BYTES = 8;
const STDERR = 2;

export interface Part {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
}

/** Gives the bytes of each chunk as they come, whole frames or not; nothing is kept but a header cut in two. */
export function createDemultiplexer(): { push(chunk: Buffer): Part[] } {
  let header: Buffer = Buffer.alloc(0);
  let stream: Part['stream'] = 'stdout';
  let leftBytes = 0;
  return {
    push(chunk) {
      const parts: Part[] = [];
      let rest = chunk;
      while (rest.length > 0) {
        if (leftBytes > 0) {
          const bytes = rest.subarray(0, leftBytes);
          parts.push({ stream, bytes });
          leftBytes -= bytes.length;
          rest = rest.subarray(bytes.length);
          continue;
        }
        const missing = HEADER_BYTES - header.length;
        header = Buffer.concat([header, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (header.length < HEADER_BYTES) break;
        stream = header[0] === STDERR ? 'stderr' : 'stdout';
        leftBytes = header.readUInt32BE(4);
        header = Buffer.alloc(0);
      }
      return parts;
    },
  };
}
