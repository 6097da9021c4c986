/** A push hook, as a git server sends it. */
import { createHmac } from 'node:crypto';

/** Posts it to a controller on this machine; null: nobody listens there. */
export async function sendPushHook(args: {
  readonly port: number;
  readonly secret: string;
  readonly delivery?: string;
}): Promise<Response | null> {
  const body = JSON.stringify({ ref: 'refs/heads/main' });
  const headers = {
    'content-type': 'application/json',
    'x-hub-signature-256': `sha256=${createHmac('sha256', args.secret).update(body).digest('hex')}`,
    ...(args.delivery === undefined ? {} : { 'x-github-delivery': args.delivery }),
  };
  return await fetch(`http://127.0.0.1:${args.port}/hooks/push`, { method: 'POST', body, headers }).catch(() => null);
}
