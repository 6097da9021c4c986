/** Where the gateway listens for http: the port that is wished for, or 8080 when somebody has it. */
import { createServer } from 'node:net';
import { portHolder } from '../../agent/gateway/port-holder.ts';
import { SlipwayError } from '../../schemas/errors.ts';

const OTHERWISE = [8080, 8081, 8888] as const;

/** The first free port of the wished one, 8080 …, and who holds the ones before it. @throws SETUP_FAILED when none is free */
export async function pickHttpPort(wished: number): Promise<{ port: number; note: string | null }> {
  const holders: string[] = [];
  for (const port of new Set([wished, ...OTHERWISE])) {
    if (await isFree(port)) {
      const note = holders.length === 0 ? null : `${holders.join('; ')}: the gateway listens on ${port}`;
      return { port, note };
    }
    holders.push(`port ${port} is held by ${(await portHolder(port)) ?? 'another program'}`);
  }
  throw new SlipwayError('SETUP_FAILED', `${holders.join('; ')}. Free one of them, or name another with --http-port`);
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '0.0.0.0', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
