/** Takes our credentials out of what is said: GitHub, or a proxy before it, may repeat what it was sent. */
import { createRedactor } from '../../../trust/redact.ts';
import type { Credentials } from '../credentials.ts';

export interface Discreet {
  /** A token that GitHub gave; the last few are remembered. */
  know(token: string): void;
  redact(text: string): string;
}

const TOKENS_REMEMBERED = 4;

/** GitHub's tokens and JWTs, whoever's they are. Source: "Behind GitHub's new authentication token formats". */
const SHAPES = /\b(?:gh[a-z]_\w{16,}|github_pat_\w{16,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,})/g;

/** `name` stands where a secret stood: the variable that it came from. */
export function createDiscreet(credentials: Credentials, name: string): Discreet {
  let tokens: string[] = [];
  return {
    know(token) {
      if (!tokens.includes(token)) tokens = [...tokens, token].slice(-TOKENS_REMEMBERED);
    },
    redact(text) {
      // Made anew: its forms are many, tokens change every hour, and it is needed only when something fails.
      const redactor = createRedactor();
      const lasting = credentials.kind === 'app' ? credentials.privateKey() : credentials.token();
      for (const it of [lasting, ...tokens]) redactor.know(name, Buffer.from(it));
      return redactor.redact(text).replaceAll(SHAPES, '[secret]');
    },
  };
}
