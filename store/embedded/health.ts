/** Whether JetStream still answers: a server that accepts connections may be locked up inside. */
import { jetstreamManager } from '@nats-io/jetstream';
import { isSlipwayError } from '../../schemas/errors.ts';
import { silentLogger } from '../../schemas/logger.ts';
import { openConnection } from '../nats/connection.ts';

/** One look; false when it did not answer within the time. */
export type HealthCheck = () => Promise<boolean>;

/** A look opens a connection of its own, so that it also sees a server that takes none any more. */
export function createHealthCheck({ url, timeoutMs }: { url: string; timeoutMs: number }): HealthCheck {
  return async () => {
    try {
      const connection = await openConnection({ url, timeoutMs, name: 'slipway health', log: silentLogger });
      try {
        const manager = await jetstreamManager(connection.client, { checkAPI: false, timeout: timeoutMs });
        await connection.call(async () => await manager.getAccountInfo());
        return true;
      } finally {
        await connection.close();
      }
    } catch (error) {
      if (!isSlipwayError(error, 'STATE_UNAVAILABLE')) throw error;
      return false;
    }
  };
}
