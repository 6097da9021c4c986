/** Arithmetic on IPv4 addresses and CIDR blocks. Pure. */
import { isIPv4 } from 'node:net';

/** A block of addresses: `[first, first + 2 ** (32 - prefixLength))`. */
export interface Block {
  readonly first: number;
  readonly prefixLength: number;
}

/** Number of an IPv4 address in text, null when the text is none. */
export function addressNumber(text: string): number | null {
  if (!isIPv4(text)) return null;
  return text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** Block of `a.b.c.d/n` (or of a bare address: /32), null when the text is none. Host bits are cut off. */
export function parseBlock(text: string): Block | null {
  const [address = '', length = '32', ...rest] = text.split('/');
  const number = addressNumber(address);
  if (number === null || rest.length > 0 || !/^\d{1,2}$/.test(length) || Number(length) > 32) return null;
  const size = 2 ** (32 - Number(length));
  return { first: Math.floor(number / size) * size, prefixLength: Number(length) };
}

/** Whether the blocks share an address. */
export function overlaps(a: Block, b: Block): boolean {
  return a.first < b.first + sizeOf(b) && b.first < a.first + sizeOf(a);
}

/** Whether an address in text lies in the block; false for text that is no IPv4 address. */
export function contains(block: Block, address: string): boolean {
  const number = addressNumber(address);
  return number !== null && number >= block.first && number < block.first + sizeOf(block);
}

function sizeOf(block: Block): number {
  return 2 ** (32 - block.prefixLength);
}
