/**
 * DNS messages (RFC 1035, EDNS of RFC 6891): what a query asks, and the bytes of our replies. Pure.
 *
 * Replies repeat the question byte by byte, so that its case and any odd labels come back as they were sent.
 */
import dnsPacket from 'dns-packet';

const HEADER_BYTES = 12;
const QUERY_BYTES_MAX = 4096;
const UDP_BYTES_CLASSIC = 512;
/** Fits any path without fragments (DNS flag day 2020). */
const UDP_BYTES_MAX = 1232;
const TYPE = { A: 1, TXT: 16 } as const;
const OPT_RECORD = Buffer.from([0, 0, 41, UDP_BYTES_MAX >> 8, UDP_BYTES_MAX & 255, 0, 0, 0, 0, 0, 0]);
/** Points at the name of the question, which always begins right after the header. */
const QUESTION_POINTER = 0xc00c;

export const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
export type Rcode = keyof typeof RCODE;

/** A query that can be answered. `name` is in lower case, without the final dot; `message` is all of it. */
export interface Query {
  readonly name: string;
  readonly type: string;
  readonly class: string;
  /** How many bytes the asker takes by UDP. */
  readonly udpBytes: number;
  readonly edns: boolean;
  readonly message: Buffer;
  /** Where the question ends within the message. */
  readonly questionEnd: number;
}

/** `refused`: not a query that we understand; `reply` says so, null when nothing may be answered. */
export type Parsed =
  | { readonly kind: 'query'; readonly query: Query }
  | { readonly kind: 'refused'; readonly reply: Buffer | null };

/** Reads what somebody sent to us; never throws. */
export function parseQuery(message: Buffer): Parsed {
  // Too short for an id, or itself an answer: replying could go on for ever between two servers.
  if (message.length < HEADER_BYTES || (message.readUInt8(2) & 0x80) !== 0) return { kind: 'refused', reply: null };
  const opcode = (message.readUInt8(2) >> 3) & 15;
  if (opcode !== 0) return { kind: 'refused', reply: header(message, 'NOTIMP', 0, 0, 0) };
  const query = message.length > QUERY_BYTES_MAX || message.readUInt16BE(4) !== 1 ? null : decode(message);
  return query === null ? { kind: 'refused', reply: header(message, 'FORMERR', 0, 0, 0) } : { kind: 'query', query };
}

/** A reply without records. */
export function emptyReply(query: Query, rcode: Rcode): Buffer {
  return reply(query, rcode, []);
}

/** A records of time-to-live 0; with too many for `maxBytes` the reply carries as many as fit, and the TC bit. */
export function addressReply(query: Query, addresses: readonly string[], maxBytes: number): Buffer {
  const records = addresses.map((it) => record(TYPE.A, Buffer.from(it.split('.').map(Number))));
  const opt = query.edns ? OPT_RECORD.length : 0;
  const room = maxBytes - query.questionEnd - opt;
  const fitting = Math.max(0, Math.floor(room / (records[0]?.length ?? 1)));
  return reply(query, 'NOERROR', records.slice(0, fitting), fitting < records.length);
}

/** One TXT record of at most 255 bytes. */
export function textReply(query: Query, text: string): Buffer {
  const bytes = Buffer.from(text).subarray(0, 255);
  return reply(query, 'NOERROR', [record(TYPE.TXT, Buffer.concat([Buffer.from([bytes.length]), bytes]))]);
}

/** A query of our own. */
export function encodeQuery(id: number, name: string, type: 'A' | 'TXT', inClass: 'IN' | 'CH'): Buffer {
  return dnsPacket.encode({ type: 'query', id, questions: [{ type, name, class: inClass }] });
}

/** First text of a reply to our own query; null when it is none. */
export function decodeText(message: Buffer, id: number): string | null {
  try {
    const decoded = dnsPacket.decode(message);
    const answer = decoded.id === id ? decoded.answers?.[0] : undefined;
    return answer?.type === 'TXT' ? [answer.data].flat().join('') : null;
  } catch {
    return null;
  }
}

/** Whether `answer` is a reply to `query`: same id is not enough, the question has to be the same too (RFC 5452). */
export function answers(answer: Buffer, query: Query, id: number): boolean {
  if (answer.length < query.questionEnd || answer.readUInt16BE(0) !== id) return false;
  if ((answer.readUInt8(2) & 0x80) === 0) return false;
  return answer
    .subarray(HEADER_BYTES, query.questionEnd)
    .equals(query.message.subarray(HEADER_BYTES, query.questionEnd));
}

/** A copy of the message under another id. */
export function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id, 0);
  return copy;
}

/** Response code of a reply. */
export function rcodeOf(message: Buffer): number {
  return message.readUInt8(3) & 15;
}

function decode(message: Buffer): Query | null {
  const questionEnd = endOfQuestion(message);
  if (questionEnd === null) return null;
  try {
    const { questions, additionals } = dnsPacket.decode(message);
    const question = questions?.[0];
    if (question === undefined) return null;
    const opt = additionals?.find((it) => it.type === 'OPT');
    const offered = opt?.type === 'OPT' ? opt.udpPayloadSize : UDP_BYTES_CLASSIC;
    return {
      name: question.name.toLowerCase().replace(/\.$/, ''),
      type: question.type,
      class: question.class ?? 'IN',
      udpBytes: Math.min(Math.max(offered, UDP_BYTES_CLASSIC), UDP_BYTES_MAX),
      edns: opt !== undefined,
      message,
      questionEnd,
    };
  } catch {
    return null;
  }
}

/** Null when the name runs out of the message, or points elsewhere: there is nothing yet that it could point at. */
function endOfQuestion(message: Buffer): number | null {
  let at = HEADER_BYTES;
  for (;;) {
    const length = message[at];
    if (length === undefined || length > 63) return null;
    at += 1 + length;
    if (length === 0) break;
  }
  return at - HEADER_BYTES <= 255 && at + 4 <= message.length ? at + 4 : null;
}

function reply(query: Query, rcode: Rcode, records: readonly Buffer[], truncated = false): Buffer {
  const question = query.message.subarray(HEADER_BYTES, query.questionEnd);
  const head = header(query.message, rcode, 1, records.length, query.edns ? 1 : 0);
  if (truncated) head.writeUInt8(head.readUInt8(2) | 0x02, 2);
  return Buffer.concat([head, question, ...records, ...(query.edns ? [OPT_RECORD] : [])]);
}

/** QR, the asker's RD, AA and RA; counts of the sections. */
function header(message: Buffer, rcode: Rcode, questions: number, records: number, additionals: number): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  message.copy(head, 0, 0, 2);
  const opcodeAndRd = message.readUInt8(2) & 0x79;
  head.writeUInt8(0x80 | 0x04 | opcodeAndRd, 2);
  head.writeUInt8(0x80 | RCODE[rcode], 3);
  head.writeUInt16BE(questions, 4);
  head.writeUInt16BE(records, 6);
  head.writeUInt16BE(additionals, 10);
  return head;
}

function record(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(QUESTION_POINTER, 0);
  head.writeUInt16BE(type, 2);
  // Class: that of the question is IN for addresses; a TXT of ours is CH.
  head.writeUInt16BE(type === TYPE.TXT ? 3 : 1, 4);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}
