/** Attached streams, cut anywhere by the transport. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createDemultiplexer } from '../../../agent/docker/demultiplex.ts';

function frame(stream: 'stdout' | 'stderr', bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream === 'stderr' ? 2 : 1;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

it('gives every byte to its stream, wherever the chunks are cut', () => {
  const frames = fc.array(fc.tuple(fc.constantFrom('stdout' as const, 'stderr' as const), fc.uint8Array()));
  fc.assert(
    fc.property(frames, fc.integer({ min: 1, max: 20 }), (sent, size) => {
      const wire = Buffer.concat(sent.map(([stream, bytes]) => frame(stream, bytes)));
      const reader = createDemultiplexer();
      const parts = [];
      for (let at = 0; at < wire.length; at += size) parts.push(...reader.push(wire.subarray(at, at + size)));
      for (const stream of ['stdout', 'stderr'] as const) {
        const got = Buffer.concat(parts.filter((it) => it.stream === stream).map((it) => it.bytes));
        expect(got).toEqual(Buffer.concat(sent.filter(([it]) => it === stream).map(([, bytes]) => bytes)));
      }
    }),
  );
});
