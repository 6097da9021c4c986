/** Slipway: `git commit` in a repository that a controller follows; its own events say what took how long. */
import type { SlipwayEvent } from '../schemas/event.ts';
import type { Contender } from './contender.ts';
import { type FleetLab, startFleetLab } from './fleet-lab.ts';
import { hostnameOf, manifest, serviceNames } from './services.ts';

/** Moments of one deploy, in milliseconds of the epoch, as the controller wrote them down. */
export interface Moments {
  /** The revision was read; the controller says so before it plans. */
  readonly noticedMs: number;
  /** The plan was made and the steps begin. */
  readonly startedMs: number;
  /** All new instances are ready, and the release is in the log. */
  readonly committedMs: number;
  /** The old instances are gone. */
  readonly doneMs: number;
}

export interface SlipwayContender extends Contender {
  /** Of the change that was made last; once it is over. */
  moments(): Promise<Moments>;
}

const NAMESPACE = 'bench';
const EVENTS_READ = 200;

export async function startSlipway(): Promise<SlipwayContender> {
  const lab: FleetLab = await startFleetLab();
  let revision = '';
  return {
    endpoints: (count) => serviceNames(count).map((name) => ({ port: lab.host.httpPort, hostname: hostnameOf(name) })),
    async change(count, version) {
      const made = await lab.commit({ [`namespaces/${NAMESPACE}.json`]: manifest(NAMESPACE, count, version) });
      revision = made.revision;
      return { madeAtMs: made.endedAtMs, over: lab.settled() };
    },
    moments: async () => momentsOf(await lab.store.events.list(EVENTS_READ), revision),
    close: () => lab.close(),
  };
}

/** @throws when an event is missing */
function momentsOf(events: readonly SlipwayEvent[], revision: string): Moments {
  const noticed = events.findLastIndex(
    (it) => it.kind === 'source.revision' && it.message.startsWith(revision.slice(0, 10)),
  );
  const since = noticed < 0 ? [] : events.slice(noticed);
  const at = (kind: string) => {
    const found = since.find((it) => it.kind === kind);
    if (found === undefined) throw new Error(`there is no event ${kind} of revision ${revision}`);
    return Date.parse(found.at);
  };
  return {
    noticedMs: at('source.revision'),
    startedMs: at('deploy.started'),
    committedMs: at('release.committed'),
    doneMs: at('deploy.done'),
  };
}
