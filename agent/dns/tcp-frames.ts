/** Messages on a TCP connection: each after its length in two bytes (RFC 1035 §4.2.2). */

/** The message with its length in front. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

/**
 * A consumer of received pieces that calls `onMessage` for each whole message, and `onTooLong` once when one is
 * announced that is longer than `maxBytes`; it takes nothing after that.
 */
export function frames(
  maxBytes: number,
  onMessage: (message: Buffer) => void,
  onTooLong: (error: Error) => void,
): (piece: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let broken = false;
  return (piece) => {
    if (broken) return;
    rest = Buffer.concat([rest, piece]);
    while (rest.length >= 2) {
      const length = rest.readUInt16BE(0);
      if (length > maxBytes) {
        broken = true;
        onTooLong(new Error(`message of ${length} bytes`));
        return;
      }
      if (rest.length < 2 + length) return;
      const message = rest.subarray(2, 2 + length);
      rest = rest.subarray(2 + length);
      onMessage(message);
    }
  };
}
