/** The text of a lock file, as `controller/manifest` reads it back. Pure; the same for the same entries. */
import type { LockEntry } from '../../schemas/manifest.ts';
import type { ReleaseRef } from '../../schemas/release.ts';

/** How a release is written: `pr-7@3`. */
export function refText({ namespace, n }: ReleaseRef): string {
  return `${namespace}@${n}`;
}

/** The whole file. Names, image strings and digests hold no character that TOML would read otherwise. */
export function lockText(from: ReleaseRef, to: string, entries: readonly LockEntry[]): string {
  const header = [
    `# Written by \`slipway promote\`: ${to} takes over the image digests of ${refText(from)}.`,
    '# An entry counts only while the image of its service in the manifest is the same text. Remove the file to go back',
    '# to what the image strings mean.',
    `promoted_from = { namespace = ${quote(from.namespace)}, release = ${from.n} }`,
  ];
  const rows = entries.map(({ service, image, digest, local }) =>
    [
      '',
      '[[images]]',
      `service = ${quote(service)}`,
      `image = ${quote(image)}`,
      `digest = ${quote(digest)}`,
      ...(local === true ? ['local = true'] : []),
    ].join('\n'),
  );
  return `${[...header, ...rows].join('\n')}\n`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
