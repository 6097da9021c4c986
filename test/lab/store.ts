/** The state of an installation under test, over a connection of its own. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger } from '../../schemas/logger.ts';
import { systemClock } from '../../store/clock.ts';
import { connectNats } from '../../store/nats.ts';
import type { Store } from '../../store/port.ts';
import type { Host } from './host.ts';

/** Close it before the host is destroyed. */
export async function openStore(host: Host): Promise<Store> {
  const url = (await readFile(join(host.stateDir, 'nats/url'), 'utf8')).trim();
  return await connectNats({ url, name: 'test', log: silentLogger, clock: systemClock });
}
