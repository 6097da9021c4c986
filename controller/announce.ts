/** Events by what people do: recorded if the state takes them, never in the way. */
import type { SlipwayEvent } from '../schemas/event.ts';
import type { Logger } from '../schemas/logger.ts';
import type { Store } from '../store/port.ts';
import { type Clock, isoNow } from './execute/clock.ts';

export interface AnnounceDeps {
  readonly store: Pick<Store, 'events'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The event is recorded, or the log says that it could not be. */
export async function announce(
  { store, clock, log }: AnnounceDeps,
  event: Pick<SlipwayEvent, 'kind' | 'namespace' | 'actor' | 'message'>,
): Promise<void> {
  await store.events
    .publish({ at: isoNow(clock), deploy: null, machine: null, ...event })
    .catch((error: unknown) => log.warn({ err: error }, 'event not recorded'));
}
