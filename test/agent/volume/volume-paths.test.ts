/** Paths of volumes, and what the kernel says is mounted. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseMountInfo } from '../../../agent/volume/mounts.ts';
import { volumePaths } from '../../../agent/volume/volume-paths.ts';

it.each(['..', '.', '', 'a/b', '/etc', '.volumes', 'a\0b', 'a\nb', '-rf', 'A'])(
  'refuses %j as namespace and as volume',
  (name) => {
    expect(() => volumePaths('/v', name, 'data')).toThrow(expect.objectContaining({ code: 'VOLUME_FAILED' }));
    expect(() => volumePaths('/v', 'production', name)).toThrow(expect.objectContaining({ code: 'VOLUME_FAILED' }));
  },
);

it('gives every volume places that no other volume has', () => {
  const name = fc.stringMatching(/^[a-z0-9](?:[a-z0-9_-]{0,5}[a-z0-9])?$/);
  fc.assert(
    fc.property(name, name, name, name, (namespace, volume, otherNamespace, otherVolume) => {
      fc.pre(namespace !== otherNamespace || volume !== otherVolume);
      const { namespace: _, ...own } = volumePaths('/v', namespace, volume);
      const { namespace: __, ...other } = volumePaths('/v', otherNamespace, otherVolume);
      expect(new Set([...Object.values(own), ...Object.values(other)]).size).toBe(8);
    }),
  );
});

it('reads mount points with blanks in them', () => {
  const text = '36 35 98:0 / /mnt/a\\040b rw,noatime - ext3 /dev/root rw\n37 35 98:1 / /v rw - tmpfs none rw\n';
  expect(parseMountInfo(text)).toEqual(['/mnt/a b', '/v']);
});
