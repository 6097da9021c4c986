/** Every kill, for services that are replaced while the old ones serve. Part of `npm run test:kill`. */
import { START_FIRST, STRATEGIES } from './cases.ts';
import { testEveryPoint } from './every-point.ts';

testEveryPoint([START_FIRST, ...STRATEGIES.filter((it) => it.class === 'start-first')]);
