/** Waits until this machine's agent answers, saying why when it does not. */
import { isSlipwayError, SlipwayError } from '../../schemas/errors.ts';
import type { Connection } from '../connect.ts';

const WAIT_MS = 30_000;

/** @throws MACHINE_UNREACHABLE */
export async function waitForMachine(connection: Connection, signal: AbortSignal): Promise<void> {
  const { store, clock, installation, paths } = connection;
  const until = clock.now() + WAIT_MS;
  for (;;) {
    try {
      await store.messages.request(['agent', installation.machine, 'ping'], {}, 1_000);
      if ((await store.bucket('machines').get([installation.machine])) !== null) return;
    } catch (error) {
      if (!isSlipwayError(error, 'MACHINE_UNREACHABLE', 'STATE_UNAVAILABLE')) throw error;
    }
    if (clock.now() > until) {
      throw new SlipwayError(
        'MACHINE_UNREACHABLE',
        `the agent did not answer in ${WAIT_MS / 1000} s; ${paths.log}/agent.log says why`,
      );
    }
    await clock.sleep(100, signal);
  }
}
