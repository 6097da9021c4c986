/** The installation that doctor looks at: there, not there, or not for us to look at. */
import { accessSync, constants } from 'node:fs';
import type { Installation, StatePaths } from '../../schemas/installation.ts';
import { readInstallation } from '../state-dir.ts';
import { type Finding, fail } from './finding.ts';

export type Found =
  | { readonly kind: 'none' }
  | { readonly kind: 'found'; readonly installation: Installation }
  | { readonly kind: 'unusable'; readonly finding: Finding };

export function findInstallation(paths: StatePaths): Found {
  const code = accessError(paths.installation);
  if (code === 'ENOENT') return { kind: 'none' };
  // Who may not read the keys may not see most of the processes either, and would be told that nothing runs.
  if (code === 'EACCES' || accessError(paths.keys) === 'EACCES') {
    const detail = `the one in ${paths.root} is not for this user: nothing of it was looked at`;
    return { kind: 'unusable', finding: fail('installation', detail, 'run it as root (`sudo slipway doctor`)') };
  }
  try {
    return { kind: 'found', installation: readInstallation(paths) };
  } catch {
    const next = 'put it back from a backup, or run the `slipway` of the version that wrote it';
    const detail = `${paths.installation} cannot be read: nothing of it was looked at`;
    return { kind: 'unusable', finding: fail('installation', detail, next) };
  }
}

/** null: it can be read. */
function accessError(path: string): string | null {
  try {
    accessSync(path, constants.R_OK);
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'unknown';
  }
}
