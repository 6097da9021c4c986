/** Which service a command means: by its name, its namespace and name, or a hostname that it has. */
import { expect, it } from 'vitest';
import { locate, requireLive } from '../../../controller/patch/locate.ts';
import { release } from '../../builders/release.ts';
import { serviceSpec } from '../../builders/service.ts';

const route = (hostname: string, pathPrefix = '/') => ({ kind: 'http' as const, hostname, pathPrefix, port: 8080 });
const live = [
  release(
    [
      serviceSpec({ name: 'web', routes: [route('shop.test'), route('both.test')] }),
      serviceSpec({ name: 'api', routes: [route('both.test', '/api')] }),
    ],
    { namespace: 'shop' },
  ),
  release([serviceSpec({ name: 'web', routes: [route('blog.test')] })], { namespace: 'blog' }),
];

function found(name: string | null, namespace: string | null = null, hostname: string | null = null): string {
  const it = locate({ name, namespace, hostname }, live);
  return `${it.namespace}/${it.service}`;
}

it('finds a service by what is enough to tell it from others', () => {
  expect(found('web', 'shop')).toBe('shop/web');
  expect(found('shop/web')).toBe('shop/web');
  expect(found('api')).toBe('shop/api');
  expect(found(null, null, 'blog.test')).toBe('blog/web');
  expect(found(null, null, 'BLOG.test')).toBe('blog/web');
  expect(found('new', 'fresh', 'shop.test')).toBe('fresh/new');
});

it.each([
  [
    'a name that two namespaces have',
    () => found('web'),
    /2 namespaces have a service web \(shop, blog\).*--namespace/,
  ],
  [
    'a name that nobody has',
    () => found('db'),
    /no namespace has a service db.*There are shop \(api, web\), blog \(web\)/,
  ],
  ['nothing at all', () => found(null), /name a service, or the --host/],
  ['a hostname that nobody has', () => found(null, null, 'no.test'), /no service answers for no\.test/],
  ['a hostname of another namespace', () => found(null, 'blog', 'shop.test'), /no service in blog answers/],
  ['a hostname whose paths two have', () => found(null, null, 'both.test'), /shop\/api, shop\/web answer for paths/],
  ['two namespaces at once', () => found('shop/web', 'blog'), /--namespace says blog/],
  ['a path', () => found('a/b/c'), /neither NAME nor NAMESPACE\/NAME/],
])('says what there is when it is given %s', (_, locating, message) => {
  expect(locating).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringMatching(message) }));
});

it('tells a namespace that nobody knows from a service that it does not have', () => {
  const code = (namespace: string, service: string) => () => requireLive({ namespace, service }, live);
  expect(code('shop', 'api')).not.toThrow();
  expect(code('shop', 'toString')).toThrow(expect.objectContaining({ code: 'UNKNOWN_SERVICE' }));
  expect(code('nope', 'web')).toThrow(expect.objectContaining({ code: 'UNKNOWN_NAMESPACE' }));
});
