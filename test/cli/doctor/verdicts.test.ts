/** What `slipway doctor` makes of what it measured. */
import { expect, it } from 'vitest';
import { portVerdict } from '../../../cli/doctor/gateway.ts';
import { namespaceFindings } from '../../../cli/doctor/problems.ts';
import { diskVerdict, isTooOpen, reportVerdict, skewVerdict, versionVerdict } from '../../../cli/doctor/verdicts.ts';
import { OLDEST } from '../../../deploy/setup/programs.mjs';
import { OLDEST_SERVER } from '../../../store/nats/connection.ts';

it.each([
  ['HAProxy version 2.6.12-1+deb12u1 2023/12/16 - https://haproxy.org/', '2.6', 'ok'],
  ['HAProxy version 2.4.22-0ubuntu0.22.04.3 2023/12/04', '2.6', 'fail'],
  ['nats-server: v2.9.10', '2.9.10', 'ok'],
  ['nats-server: v2.9.9', '2.9.10', 'fail'],
  ['20.10.24+dfsg1', '20.10', 'ok'],
  ['git version 2.39.5', null, 'ok'],
  ['no version at all', '1.0', 'warn'],
])('reads %s against %s', (said, oldest, state) => {
  expect(versionVerdict({ name: 'x', said, oldest, upgrade: 'upgrade it' })).toMatchObject({ state });
});

it('wants the nats-server that the store takes', () => {
  expect(OLDEST['nats-server']).toBe(OLDEST_SERVER);
});

it('fails for a full disk and warns of one that will be', () => {
  const usage = (freeMib: number) => ({
    totalBytes: 1000 * 2 ** 20,
    freeBytes: freeMib * 2 ** 20,
    totalInodes: 0,
    freeInodes: 0,
  });
  expect(diskVerdict('docker', '/d', usage(900)).state).toBe('ok');
  expect(diskVerdict('docker', '/d', usage(100))).toMatchObject({
    state: 'warn',
    next: expect.stringContaining('docker system df'),
  });
  expect(diskVerdict('state', '/s', usage(10))).toEqual({
    name: 'disk',
    state: 'fail',
    detail: 'the state folder /s: 10.0 MiB of 1000.0 MiB free',
    next: expect.stringContaining('df -h'),
  });
});

it.each([
  [300, 'ok', '0.3 s from'],
  [-2500, 'warn', '2.5 s behind'],
  [45_000, 'fail', '45.0 s ahead of'],
])('judges a clock that is %d ms off', (skewMs, state, text) => {
  expect(skewVerdict(skewMs)).toMatchObject({ state, detail: expect.stringContaining(text) });
});

it('warns of an agent that reports late or is of another version, and says how to replace it', () => {
  const report = (overrides: Partial<Parameters<typeof reportVerdict>[0]>) =>
    reportVerdict({ ageMs: 1000, agentVersion: '1.0.0', own: '1.0.0', ...overrides });
  expect(report({}).state).toBe('ok');
  expect(report({ ageMs: 50_000 })).toMatchObject({ state: 'warn', detail: expect.stringContaining('50 s ago') });
  expect(report({ agentVersion: undefined })).toMatchObject({
    state: 'warn',
    detail: expect.stringContaining('of build unknown, this command of 1.0.0'),
    next: expect.stringContaining('slipway up --detach'),
  });
});

it.each([
  [0o100600, false],
  [0o100400, false],
  [0o100640, true],
  [0o100604, true],
  [0o040711, true],
])('mode %o of a secret is too open: %s', (mode, tooOpen) => {
  expect(isTooOpen(mode)).toBe(tooOpen);
});

it('tells our listener from a stranger on the port, and from nobody', () => {
  const port = (holder: string | null, isHttp = true) => portVerdict({ port: 80, isHttp, holder, own: new Set([12]) });
  expect(port('haproxy (pid 12)').state).toBe('ok');
  expect(port('haproxy (pid 120)')).toMatchObject({
    state: 'fail',
    detail: 'http of the gateway, but it is held by haproxy (pid 120)',
    next: expect.stringContaining('--http-port'),
  });
  expect(port('nginx (pid 9)', false).next).toContain('listen_port');
  expect(port(null)).toMatchObject({ state: 'fail', detail: expect.stringContaining('nobody listens') });
});

it('tells of held and failed namespaces without calling the machine ill', () => {
  const failed = {
    desiredDigest: '0'.repeat(64),
    deploy: null,
    code: 'EXITED',
    message: 'it ended',
    retryAt: null,
    attempts: 1,
  };
  const held = { by: 'cli/me', why: 'a trial', at: '2026-01-01T00:00:00Z', desiredDigest: null };
  const found = namespaceFindings({ namespace: 'shop', carriedOut: null, held, failed });
  expect(found.map((it) => `${it.state} ${it.detail}`)).toEqual([
    'info held by cli/me: a trial',
    'info failed: EXITED: it ended',
  ]);
});
