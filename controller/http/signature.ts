/** The signature of a hook: HMAC-SHA256 over the bytes as they came. Pure. */
import { createHmac, timingSafeEqual } from 'node:crypto';

const FORM = /^sha256=([0-9a-f]{64})$/i;

/** Whether the text has the form of `X-Hub-Signature-256`, so that a body is worth reading. */
export function looksSigned(header: string | undefined): header is string {
  return header !== undefined && FORM.test(header);
}

/** True when one of the secrets made the signature. Takes the same time whichever it is, and for wrong ones. */
export function isSignedBy(secrets: readonly string[], body: Uint8Array, header: string): boolean {
  const given = Buffer.from(FORM.exec(header)?.[1] ?? '', 'hex');
  let found = false;
  for (const secret of secrets) {
    const expected = createHmac('sha256', secret).update(body).digest();
    if (given.length === expected.length && timingSafeEqual(given, expected)) found = true;
  }
  return found;
}
