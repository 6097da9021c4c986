/** Redis' wire format, RESP2: a command to bytes, bytes to an answer. Pure. Source: redis.io, "Redis serialization protocol". */

const LINE_END = '\r\n';

/** What Redis answers to a command that it refuses. */
export class RedisError extends Error {}

/** @typedef {string | number | null | RedisError | Answer[]} Answer */

/**
 * A command as an array of strings whose lengths count bytes, not characters.
 *
 * @param {readonly (string | number)[]} words
 */
export function encode(words) {
  const parts = words.map((it) => `$${Buffer.byteLength(String(it))}${LINE_END}${it}${LINE_END}`);
  return `*${words.length}${LINE_END}${parts.join('')}`;
}

/**
 * The answer that starts at the offset, and where the next one does; null: it has not arrived whole.
 *
 * @param {Buffer} bytes
 * @param {number} offset
 * @returns {{ answer: Answer, next: number } | null}
 */
export function decode(bytes, offset = 0) {
  const end = bytes.indexOf(LINE_END, offset);
  if (end === -1) return null;
  const line = bytes.toString('utf8', offset + 1, end);
  const next = end + LINE_END.length;
  switch (String.fromCharCode(bytes[offset] ?? 0)) {
    case '+':
      return { answer: line, next };
    case '-':
      return { answer: new RedisError(line), next };
    case ':':
      return { answer: Number(line), next };
    case '$':
      return decodeText(bytes, next, Number(line));
    case '*':
      return decodeList(bytes, next, Number(line));
    default:
      throw new Error('this is not a Redis server');
  }
}

/** @param {Buffer} bytes @param {number} start @param {number} sizeBytes -1: there is no value */
function decodeText(bytes, start, sizeBytes) {
  if (sizeBytes < 0) return { answer: null, next: start };
  const next = start + sizeBytes + LINE_END.length;
  return bytes.length < next ? null : { answer: bytes.toString('utf8', start, start + sizeBytes), next };
}

/** @param {Buffer} bytes @param {number} start @param {number} count -1: there is no list */
function decodeList(bytes, start, count) {
  if (count < 0) return { answer: null, next: start };
  /** @type {Answer[]} */
  const answer = [];
  let next = start;
  while (answer.length < count) {
    const item = decode(bytes, next);
    if (item === null) return null;
    answer.push(item.answer);
    next = item.next;
  }
  return { answer, next };
}
