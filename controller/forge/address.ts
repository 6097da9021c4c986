/** Which forge a tracked repository lies on, and where its API answers. Pure. */
import { SlipwayError } from '../../schemas/errors.ts';
import { parseLocation } from '../git/location.ts';

export interface GithubAddress {
  readonly apiUrl: string;
  readonly owner: string;
  readonly repo: string;
  /** github.com itself (or its data residency hosts), not a server of one's own. */
  readonly cloud: boolean;
}

const NAME = /^(?!\.{1,2}$)[\w.-]{1,100}$/;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Whether the repository is at github.com, where no setting is needed to say that it is GitHub's. */
export function isGithubCom(location: string): boolean {
  const place = parseLocation(location);
  return place.kind === 'remote' && hostOf(place.url) === 'github.com';
}

/** @param api SLIPWAY_FORGE_API; null: what follows from the repository's address. @throws USAGE */
export function githubAddress(location: string, api: string | null): GithubAddress {
  const place = parseLocation(location);
  if (place.kind === 'local') {
    throw usage(
      `SLIPWAY_FORGE=github, but the tracked repository is a folder (${place.path}): track its https:// address`,
    );
  }
  const [owner = '', repo = '', ...rest] = new URL(place.url).pathname.slice(1).split('/');
  const bare = repo.replace(/\.git$/, '');
  if (rest.length > 0 || !NAME.test(owner) || !NAME.test(bare)) {
    throw usage(`SLIPWAY_FORGE=github, but ${place.name} is not OWNER/REPOSITORY on a GitHub server`);
  }
  const apiUrl = api === null ? apiOf(place.url) : checkedApi(api);
  return { apiUrl, owner, repo: bare, cloud: /^api\.(github\.com|[\w-]+\.ghe\.com)$/.test(hostOf(apiUrl)) };
}

/** Source: GitHub Enterprise Server and Cloud with data residency, "Getting started with the REST API". */
function apiOf(url: string): string {
  const { host, protocol } = new URL(url);
  if (host === 'github.com' || /^[\w-]+\.ghe\.com$/.test(host)) return `https://api.${host}`;
  return checkedApi(`${protocol}//${host}/api/v3`);
}

function checkedApi(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw usage('SLIPWAY_FORGE_API is not the plain address of an API, such as https://ghe.example.com/api/v3');
  }
  // The token goes there with every request.
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.test(url.hostname))) {
    throw usage(`SLIPWAY_FORGE_API has to begin with https:// (${url.host})`);
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function hostOf(url: string): string {
  return new URL(url).host;
}

function usage(message: string): SlipwayError {
  return new SlipwayError('USAGE', message);
}
