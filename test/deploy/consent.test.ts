/** Who is asked before the machine is changed. */
import { expect, it } from 'vitest';
import { announcement, consentFor, obtainConsent } from '../../deploy/setup/consent.mjs';

const nobody = { purpose: 'start', yes: false, isTerminal: false, env: {} } as const;

it('asks on a terminal', () => {
  expect(consentFor({ ...nobody, isTerminal: true })).toBe('ask');
  expect(consentFor({ ...nobody, purpose: 'test', isTerminal: true })).toBe('ask');
});

it.each([{ yes: true }, { env: { CI: 'true' } }, { env: { SLIPWAY_YES: '1' } }])('asks nothing with %j', (given) => {
  expect(consentFor({ ...nobody, isTerminal: true, ...given })).toBe('run');
  expect(consentFor({ ...nobody, ...given })).toBe('run');
});

it('does not take other values for a yes', () => {
  expect(consentFor({ ...nobody, env: { CI: 'false', SLIPWAY_YES: '0' } })).toBe('refuse');
});

it('refuses to start, but lets tests go on, where nobody can be asked', () => {
  expect(consentFor(nobody)).toBe('refuse');
  expect(consentFor({ ...nobody, purpose: 'test' })).toBe('run');
});

it('refuses with exit code 4 and the way out', async () => {
  await expect(obtainConsent('refuse', new AbortController().signal)).rejects.toMatchObject({
    exitCode: 4,
    hint: expect.stringContaining('npm start -- --yes'),
  });
});

it('announces every command exactly as it runs', () => {
  const decision = {
    missing: [],
    packages: ['nftables'],
    commands: [
      { does: 'npm-packages', argv: ['npm', 'ci'], asRoot: false },
      { does: 'packages', argv: ['apt-get', 'install', '--', 'nftables'], asRoot: true },
    ],
    notes: ['a note'],
    impossible: undefined,
  } as const;
  expect(announcement(decision, { isRoot: false })).toBe(
    'Setting up this machine runs:\n  npm ci\n  sudo apt-get install -- nftables\n  (a note)\n',
  );
});
