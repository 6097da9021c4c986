/** Where a repository lies: an https address or a folder. Everything else that git would follow is refused here. Pure. */
import { isAbsolute, resolve } from 'node:path';
import { SlipwayError } from '../../schemas/errors.ts';

/** `name` is safe to show: it never holds credentials. */
export type Location =
  | { readonly kind: 'remote'; readonly url: string; readonly name: string }
  | { readonly kind: 'local'; readonly path: string; readonly name: string };

/** The place that the text means. @throws USAGE for schemes, forms and credentials that are refused. */
export function parseLocation(text: string): Location {
  if (/^https?:\/\//i.test(text)) return remote(text);
  if (/^[a-z][a-z0-9+.-]*:/i.test(text)) {
    throw refused('only https:// addresses (http:// for hosts of your own) and folders are read', text);
  }
  if (/^[^/]*@[^/]*:/.test(text)) throw refused('ssh addresses are not read: give the https:// one', text);
  if (text === '' || text.startsWith('-') || text.includes('\0')) throw refused('this is not a folder', '');
  const path = isAbsolute(text) ? resolve(text) : resolve(process.cwd(), text);
  return { kind: 'local', path, name: path };
}

function remote(text: string): Location {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw refused('the address cannot be parsed', '');
  if (url.username !== '' || url.password !== '') {
    throw refused('the address holds credentials: pass the token separately', url.host);
  }
  if (url.search !== '' || url.hash !== '') throw refused('the address has a query or a fragment', url.host);
  const path = url.pathname.replace(/\/+$/, '');
  return { kind: 'remote', url: `${url.origin}${path}`, name: `${url.host}${path}` };
}

/** The branch name, when git would take it as one. @throws USAGE */
export function checkBranch(branch: string): string {
  const ok =
    /^[^\p{Cc}\s~^:?*[\\]+$/u.test(branch) &&
    !/^[-/]|\/$|\/\/|\.\.|@\{|\.$|(?:^|\/)\.|\.lock(?:\/|$)/.test(branch) &&
    branch !== '@' &&
    !branch.startsWith('refs/') &&
    branch.length <= 200;
  if (!ok) throw new SlipwayError('USAGE', `${JSON.stringify(branch)} is not a branch name`);
  return branch;
}

/** The full ref name, when git would take it as one and it may become a path. @throws USAGE */
export function checkRef(ref: string): string {
  if (!ref.startsWith('refs/')) throw new SlipwayError('USAGE', `${JSON.stringify(ref)} is not a full ref name`);
  checkBranch(ref.slice('refs/'.length));
  return ref;
}

function refused(why: string, about: string): SlipwayError {
  // Only the scheme is repeated: what follows it may be a password.
  const scheme = /^[a-z0-9+.-]{1,12}:/i.exec(about)?.[0] ?? about;
  return new SlipwayError('USAGE', `The repository cannot be used: ${why}${scheme === '' ? '' : ` (${scheme})`}`);
}
