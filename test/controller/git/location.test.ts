import { describe, expect, it } from 'vitest';
import { checkBranch, parseLocation } from '../../../controller/git/location.ts';

describe('a location', () => {
  it('is an http(s) address or a folder', () => {
    expect(parseLocation('https://example.com/acme/fleet.git/')).toEqual({
      kind: 'remote',
      url: 'https://example.com/acme/fleet.git',
      name: 'example.com/acme/fleet.git',
    });
    expect(parseLocation('/srv/fleet/')).toEqual({ kind: 'local', path: '/srv/fleet', name: '/srv/fleet' });
    expect(parseLocation('fleet')).toMatchObject({ kind: 'local', path: `${process.cwd()}/fleet` });
  });

  it.each([
    'file:///etc',
    'ext::sh -c touch% /tmp/pwned',
    'git://example.com/x',
    'ssh://git@example.com/x',
    'git@example.com:acme/x.git',
    'FTP://example.com',
    '--upload-pack=touch /tmp/x',
    '',
    'https://',
    'https://example.com/x?token=canary',
    'https://example.com/x#canary',
  ])('refuses %j', (text) => {
    expect(() => parseLocation(text)).toThrow(expect.objectContaining({ code: 'USAGE' }) as Error);
  });

  it('refuses credentials in an address without repeating them', () => {
    for (const text of [
      'https://canary@example.com/x',
      'https://me:canary@example.com/x',
      'ssh://me:canary@h/x',
      'me:canary@h:x',
    ]) {
      let message = '';
      try {
        parseLocation(text);
      } catch (error) {
        message = String(error);
      }
      expect(message).toMatch(/cannot be used/);
      expect(message).not.toContain('canary');
    }
  });
});

describe('a branch name', () => {
  it.each(['main', 'release/1.x', 'a-b_c', 'größe'])('may be %j', (name) => expect(checkBranch(name)).toBe(name));

  it.each([
    '',
    '-x',
    '/x',
    'x/',
    'a..b',
    'a b',
    'a\nb',
    'a:b',
    'a~1',
    'x.lock',
    '.x',
    'a/.b',
    '@',
    'a@{1}',
    'refs/heads/x',
    'x.',
  ])('may not be %j', (name) => expect(() => checkBranch(name)).toThrow(/not a branch name/));
});
