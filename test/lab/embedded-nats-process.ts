/** A process that looks after an embedded nats-server until it is killed: `DIR BINARY`; says the url to its parent. */
import { silentLogger } from '../../schemas/logger.ts';
import { createEmbeddedNats } from '../../store/embedded.ts';

const [, , dir = '', binary = ''] = process.argv;
const url = await createEmbeddedNats({ dir, binary, log: silentLogger }).start(new AbortController().signal);
process.send?.(url);
// A parent that dies takes us along; nothing else keeps this process.
process.once('disconnect', () => process.exit());
