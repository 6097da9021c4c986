/** Every kill, for services that are stopped first, that come and that go. Part of `npm run test:kill`. */
import { ARRIVALS, STOP_FIRST, STRATEGIES } from './cases.ts';
import { testEveryPoint } from './every-point.ts';

testEveryPoint([STOP_FIRST, ...STRATEGIES.filter((it) => it.class === 'stop-first'), ...ARRIVALS]);
