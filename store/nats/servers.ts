/** What `--nats` may say: one url or several with commas; credentials stay out of every message. Pure. */
import { SlipwayError } from '../../schemas/errors.ts';

export interface Servers {
  /** `host:port`, fit to be shown. */
  readonly hosts: readonly string[];
  readonly tls: boolean;
  readonly credentials: { token: string } | { user: string; pass: string } | Record<string, never>;
}

/** @throws USAGE for something that is no url of NATS. */
export function parseServers(urls: string): Servers {
  const parsed = urls.split(',').map((text) => {
    const url = URL.canParse(text.trim()) ? new URL(text.trim()) : null;
    if (url === null || url.hostname === '' || !['nats:', 'tls:'].includes(url.protocol)) {
      throw new SlipwayError('USAGE', 'the NATS url must look like nats://[TOKEN@]HOST[:PORT]');
    }
    return url;
  });
  const first = parsed[0];
  const user = decodeURIComponent(first?.username ?? '');
  const pass = decodeURIComponent(first?.password ?? '');
  return {
    hosts: parsed.map((url) => `${url.hostname}:${url.port === '' ? 4222 : url.port}`),
    tls: first?.protocol === 'tls:',
    credentials: user === '' ? {} : pass === '' ? { token: user } : { user, pass },
  };
}
