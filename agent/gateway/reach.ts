/** Whether an endpoint accepts connections from here; the gateway shares our network, so what we reach it reaches. */
import { connect } from 'node:net';
import type { Endpoint } from '../../schemas/routing.ts';
import type { GatewayClock } from './clock.ts';

/** Resolves with whether a connection could be made within `budgetMs`; refused ones are tried again until then. */
export async function isReachable(endpoint: Endpoint, budgetMs: number, clock: GatewayClock): Promise<boolean> {
  const until = clock.now() + budgetMs;
  for (;;) {
    if (await connects(endpoint, Math.max(1, until - clock.now()))) return true;
    if (clock.now() >= until) return false;
    await clock.sleep(25);
  }
}

function connects({ address, port }: Endpoint, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: timeoutMs });
    const answer = (reached: boolean) => {
      socket.destroy();
      resolve(reached);
    };
    socket.once('connect', () => answer(true));
    socket.once('timeout', () => answer(false));
    socket.once('error', () => answer(false));
  });
}
