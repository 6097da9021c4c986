/** How a preview is, for people: derived from its record, what the loop remembers, and the log. Pure. */
import type { Deploy, NamespaceRecord } from '../../schemas/deploy.ts';
import type { PreviewRecord } from '../../schemas/preview.ts';
import type { Release } from '../../schemas/release.ts';
import type { PreviewView } from '../comment/model.ts';

export interface PreviewSituation {
  readonly record: PreviewRecord;
  readonly loop: NamespaceRecord;
  readonly live: Release | null;
  readonly open: readonly Deploy[];
  /** Port of the gateways for http. */
  readonly httpPort: number;
}

export function viewOf(situation: PreviewSituation): PreviewView {
  const { record, live, httpPort } = situation;
  const { state, message } = stateOf(situation);
  return {
    namespace: record.namespace,
    state,
    urls: state === 'removed' ? [] : urlsOf(live, httpPort),
    message,
    forkedFrom: record.forkedFrom === null ? null : `${record.forkedFrom.namespace}@${record.forkedFrom.n}`,
    release: live?.n ?? null,
    expiresAt: record.state === 'wanted' ? record.expiresAt : null,
  };
}

/** Where the services of a release answer, one hostname and path after another. */
export function urlsOf(live: Pick<Release, 'routes'> | null, httpPort: number): { service: string; url: string }[] {
  const port = httpPort === 80 ? '' : `:${httpPort}`;
  return (live?.routes ?? []).flatMap(({ service, route }) =>
    route.kind === 'http' ? [{ service, url: `http://${route.hostname}${port}${route.pathPrefix}` }] : [],
  );
}

function stateOf({ record, loop, live, open }: PreviewSituation): Pick<PreviewView, 'state' | 'message'> {
  if (record.state === 'removed') return { state: 'removed', message: sentences(record.why, record.proof) };
  if (record.state === 'removing') return { state: 'removing', message: sentences(record.why, record.proof) };
  const { failed } = loop;
  if (open.length > 0) return { state: 'starting', message: sentences(record.why) };
  if (failed !== null && failed.desiredDigest === record.desiredDigest) {
    const waits = failed.code === 'IMAGE_NOT_FOUND' && failed.retryAt !== null;
    return waits
      ? { state: 'waiting-for-image', message: sentences(failed.message, 'it is looked for again by itself') }
      : { state: 'failed', message: sentences(`${failed.code}: ${failed.message}`) };
  }
  if (live !== null && loop.carriedOut === record.desiredDigest)
    return { state: 'running', message: sentences(record.why) };
  return { state: 'starting', message: sentences(record.why) };
}

function sentences(...texts: readonly string[]): string {
  return texts.filter((it) => it !== '').join('; ');
}
