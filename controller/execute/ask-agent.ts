/** Questions to an agent that change nothing; an agent that is just starting again is waited for. */
import pRetry from 'p-retry';
import { isSlipwayError } from '../../schemas/errors.ts';
import type { Messages } from '../../store/port.ts';

const RETRY_EVERY_MS = 200;

/** @throws MACHINE_UNREACHABLE when nobody answered for about `patienceMs` */
export async function askAgent(args: {
  readonly messages: Messages;
  readonly machine: string;
  readonly question: 'ping' | 'image' | 'ports' | 'volumes' | 'inventory';
  readonly payload: unknown;
  readonly timeoutMs: number;
  readonly patienceMs: number;
}): Promise<unknown> {
  const { messages, machine, question, payload, timeoutMs, patienceMs } = args;
  return await pRetry(async () => await messages.request(['agent', machine, question], payload, timeoutMs), {
    retries: Math.ceil(patienceMs / RETRY_EVERY_MS),
    factor: 1,
    minTimeout: RETRY_EVERY_MS,
    maxRetryTime: patienceMs,
    shouldRetry: ({ error }) => isSlipwayError(error, 'MACHINE_UNREACHABLE'),
  });
}
