/** One spelling of hosts and paths, so that equal routes are equal texts. Pure. */

/** Lower case, without port and without the dot that ends a fully qualified name. */
export function routeHost(hostname: string): string {
  return hostname.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
}

/** Begins with `/` and does not end with one, except the root itself; slashes in a row count as one. */
export function routePath(pathPrefix: string): string {
  return `/${pathPrefix.split('/').filter(Boolean).join('/')}`;
}

/** Code-unit order: the same on every machine, whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
