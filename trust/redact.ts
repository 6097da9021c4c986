/**
 * Takes secrets out of what others say: their values, and the forms that programs make of them (lines, base64,
 * base64url, hex, percent-encoding, JSON). Pure but for what it was told.
 */
import type { SecretName } from '../schemas/secret.ts';

/** Shorter ones would blot out half of every text, and are no secrets. */
const SHORTEST = 4;
const SHORTEST_LINE = 6;
const SHORTEST_ENCODED = 8;

export interface Redactor {
  know(name: SecretName, value: Buffer): void;
  redact(text: string): string;
}

export function createRedactor(): Redactor {
  const forms = new Map<string, SecretName>();
  let pattern: RegExp | null = null;
  return {
    know(name, value) {
      for (const it of formsOf(value)) {
        if (forms.has(it)) continue;
        forms.set(it, name);
        pattern = null;
      }
    },
    redact(text) {
      if (forms.size === 0) return text;
      pattern ??= anyOf([...forms.keys()]);
      return text.replaceAll(pattern, (found) => `[secret ${forms.get(found) ?? ''}]`);
    },
  };
}

/** Every form of a value that is looked for, each once. */
export function formsOf(value: Buffer): string[] {
  const text = value.toString('utf8');
  const lines = text.split(/\r?\n/).filter((it) => it.length >= SHORTEST_LINE);
  const raw = [text, text.trimEnd(), ...lines].filter((it) => it.length >= SHORTEST);
  const escaped = raw.flatMap((it) => [
    JSON.stringify(it).slice(1, -1),
    encodeURIComponent(it),
    new URLSearchParams({ v: it }).toString().slice(2),
  ]);
  const bytes = [value, Buffer.from(text.trimEnd())].filter((it) => it.length >= SHORTEST);
  const encoded = bytes
    .flatMap((it) => [it.toString('hex'), it.toString('hex').toUpperCase(), ...base64Forms(it)])
    .filter((it) => it.length >= SHORTEST_ENCODED);
  return [...new Set([...raw, ...escaped, ...encoded])];
}

/** A value inside something longer can begin at three places of a base64 group; what its neighbours decide is left off. */
function base64Forms(value: Buffer): string[] {
  const inner = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), value])
      .toString('base64')
      .replace(/=+$/, '');
    const from = Math.ceil((offset * 8) / 6);
    const whole = Math.floor(((offset + value.length) * 8) / 6);
    return encoded.slice(from, whole);
  });
  return inner.flatMap((it) => [it, it.replaceAll('+', '-').replaceAll('/', '_')]);
}

/** Longer forms first, so that no rest of one is left behind a shorter. */
function anyOf(texts: readonly string[]): RegExp {
  const sorted = texts.toSorted((a, b) => b.length - a.length);
  return new RegExp(sorted.map((it) => it.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&')).join('|'), 'g');
}
