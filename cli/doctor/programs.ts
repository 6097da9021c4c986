/** Programs of the system: there, and new enough. What is wanted stands in deploy/setup/programs.mjs. */
import semver from 'semver';
import { findProgram } from '../../deploy/setup/find-program.mjs';
import { NEEDS, OLDEST } from '../../deploy/setup/programs.mjs';
import { ownVersions } from '../../store/own-files.ts';
import { firstLineOf } from '../program-output.ts';
import type { MachineDeps } from './deps.ts';
import { type Finding, fail, ok, skip, warn } from './finding.ts';
import { versionVerdict } from './verdicts.ts';

/** Arguments with which a program says its version; the others are only looked for. */
const SAYS_VERSION: Readonly<Record<string, readonly string[]>> = {
  git: ['--version'],
  'nats-server': ['--version'],
  haproxy: ['-v'],
  nft: ['--version'],
  iptables: ['--version'],
};

/** Used only for the example that `slipway up` makes. */
const ONLY_EXAMPLE: ReadonlySet<string> = new Set(['busybox']);

export async function checkPrograms({ env, embeddedNats }: MachineDeps): Promise<Finding[]> {
  const needs = NEEDS.filter((it) => it.purposes.includes('start') && it.onlyIf === undefined);
  const found = needs.map(async ({ program, debianPackage, why }): Promise<Finding> => {
    if (program === 'nats-server' && !embeddedNats) return skip(program, 'the state lies on a NATS server elsewhere');
    const install = `install ${program} (Debian and Ubuntu: \`apt-get install -y --no-install-recommends ${debianPackage}\`)`;
    const path = await findProgram(program, env);
    if (path === undefined) {
      const missing = `is not installed; it is for: ${why}`;
      return ONLY_EXAMPLE.has(program) ? warn(program, missing, install) : fail(program, missing, install);
    }
    const argv = SAYS_VERSION[program];
    if (argv === undefined) return ok(program, path);
    const said = await firstLineOf([path, ...argv]);
    if (said === null) return fail(program, `${path} does not run`, install);
    const oldest = program in OLDEST ? OLDEST[program as keyof typeof OLDEST] : null;
    return versionVerdict({ name: program, said, oldest, upgrade: install });
  });
  return [node(), ...(await Promise.all(found))];
}

function node(): Finding {
  const { node: wanted } = ownVersions();
  const found = process.versions.node;
  if (semver.satisfies(found, wanted)) return ok('node', `${found} (wanted: ${wanted})`);
  return fail(
    'node',
    `${found}; wanted: ${wanted}`,
    'install a Node that fits (https://nodejs.org), then run `npm ci`',
  );
}
