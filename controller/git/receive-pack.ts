/** The request that moves one ref, and the server's answer to it, as bytes. Pure. Format: gitprotocol-pack(5). */
import type { Revision } from '../../schemas/names.ts';
import { oneLine } from './parse-objects.ts';

const NOTHING = '0'.repeat(40);

/** null in `from` or `to`: the ref is not there. `pack` is null when nothing travels. */
export function pushRequest(args: {
  readonly ref: string;
  readonly from: Revision | null;
  readonly to: Revision | null;
  readonly pack: Uint8Array | null;
  readonly capabilities: ReadonlySet<string>;
}): Uint8Array {
  const wanted = ['report-status', 'side-band-64k', 'delete-refs', 'agent'].filter((it) => args.capabilities.has(it));
  const said = wanted.map((it) => (it === 'agent' ? 'agent=slipway' : it)).join(' ');
  const command = Buffer.from(`${args.from ?? NOTHING} ${args.to ?? NOTHING} ${args.ref}\0 ${said}`);
  const length = (command.byteLength + 4).toString(16).padStart(4, '0');
  return Buffer.concat([Buffer.from(length), command, Buffer.from('0000'), args.pack ?? Buffer.alloc(0)]);
}

export type PushReport =
  | { readonly kind: 'ok' }
  /** `why` is the server's, one line. */
  | { readonly kind: 'refused'; readonly why: string }
  /** It cannot be told from the answer. */
  | { readonly kind: 'unknown' };

/** What the server did with the one ref. */
export function parsePushReport(bytes: Uint8Array, ref: string, sideBand: boolean): PushReport {
  const { report, messages } = sideBand ? demultiplex(bytes) : { report: Buffer.from(bytes), messages: '' };
  const lines = (packets(report) ?? []).map((it) => it.toString('utf8').trimEnd());
  if (lines.includes(`ok ${ref}`) && lines.includes('unpack ok')) return { kind: 'ok' };
  const unpack = lines.find((it) => it.startsWith('unpack ') && it !== 'unpack ok');
  const refusal = lines.find((it) => it.startsWith(`ng ${ref} `))?.slice(`ng ${ref} `.length);
  const reason = refusal ?? unpack;
  if (reason === undefined) return { kind: 'unknown' };
  const said = oneLine(messages);
  return { kind: 'refused', why: said === '' ? oneLine(reason) : `${oneLine(reason)}: ${said}` };
}

function demultiplex(bytes: Uint8Array): { report: Buffer; messages: string } {
  const bands: Record<number, Buffer[]> = { 1: [], 2: [], 3: [] };
  for (const packet of packets(Buffer.from(bytes)) ?? []) bands[packet[0] ?? 0]?.push(packet.subarray(1));
  const text = Buffer.concat([...(bands[2] ?? []), ...(bands[3] ?? [])]).toString('utf8');
  return { report: Buffer.concat(bands[1] ?? []), messages: text };
}

/** The packets up to the end; flush packets are left out. null: this is no such stream. */
function packets(bytes: Buffer): Buffer[] | null {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const head = bytes.toString('latin1', at, at + 4);
    if (!/^[0-9a-f]{4}$/i.test(head)) return null;
    const length = Number.parseInt(head, 16);
    if (length !== 0 && (length < 4 || at + length > bytes.length)) return null;
    if (length > 4) found.push(bytes.subarray(at + 4, at + length));
    at += Math.max(length, 4);
  }
  return found;
}
