/** Why a service is not what git says: the reasons, and the screen that they make. */
import { describe, expect, it } from 'vitest';
import type { WhyFacts } from '../../../controller/why/facts.ts';
import { findingsOf } from '../../../controller/why/findings.ts';
import { whyPage } from '../../../controller/why/render.ts';
import { DIGEST, differing, facts, openDeploy, slot } from './facts.ts';

const kinds = (of: WhyFacts) => findingsOf(of).map((it) => it.kind);
function screen(of: WhyFacts): string[] {
  const page = whyPage(of, findingsOf(of));
  return [...page.lines, ...(page.slots?.rows.map((it) => it.join(' ')) ?? []), ...page.after];
}
const held = {
  by: 'cli/ada',
  why: 'rolled back by hand',
  at: '2026-01-01T11:00:00.000Z',
  desiredDigest: 'e'.repeat(64),
};

describe('what is well', () => {
  it('is said in two lines', () => {
    expect(screen(facts())).toEqual([
      'production/web: live as it is since release #5 of 2026-01-01T10:00:00.000Z by controller (now #7)',
      'as git says at 1111111111; 1 of 1 ready',
    ]);
  });

  it('a hold changes nothing about what is as git says, and is named', () => {
    const of = facts({ record: { ...facts().record, held } });
    expect(screen(of)).toHaveLength(2);
    expect(screen(of)[1]).toContain('held by cli/ada');
  });

  it('a job is well when it ran to its end', () => {
    const live = facts().live;
    if (live === null || live.service === null) throw new Error('not live');
    const jobEnd = { exitCode: 0, at: '2026-01-01T10:00:01.000Z' };
    const of = facts({ live: { ...live, service: { ...live.service, job: true, jobEnd } }, slots: [] });
    expect(screen(of)[1]).toContain('its job ended with exit code 0');
  });

  it('what was healed last is named, and is no reason to look further', () => {
    const drift = [{ at: '2026-01-01T11:30:00.000Z', slot: 'web.0', what: 'its container was missing' }];
    expect(screen(facts({ drift }))[1]).toContain(
      'last healed 2026-01-01T11:30:00.000Z: web.0, its container was missing',
    );
  });
});

describe('what waits for people', () => {
  const frozen = { scope: '*', by: 'cli/ada', why: 'a sale', until: null, readable: true };
  const pending = {
    plan: 'c'.repeat(64),
    namespace: 'production',
    needs: ['consent' as const],
    reasons: ['Service web would be as in release #6 again.'],
    summary: '',
    desiredDigest: DIGEST,
    release: 7,
    at: '2026-01-01T11:00:00.000Z',
    by: 'controller',
  };
  const rollback = { n: 7, at: '2026-01-01T10:00:00.000Z', actor: 'cli/ada' };

  it('a freeze, a plan that wants consent and a rollback are said with what to do about them', () => {
    const quarantined = [{ service: 'web', spec: 'a'.repeat(64), release: 6, rollback }];
    const of = differing({ frozen, pending: [pending], quarantined });
    expect(kinds(of)).toEqual(expect.arrayContaining(['frozen', 'wants-consent', 'quarantined']));
    expect(screen(of).at(-1)).toBe('next: slipway unfreeze --all');
    expect(screen(differing({ pending: [pending] })).at(-1)).toBe('next: slipway consent cccccccccccc');
    expect(screen(of).join('\n')).toContain('rolled back by cli/ada');
  });

  it('a freeze changes nothing about what is as git says, and is named', () => {
    expect(screen(facts({ frozen }))).toHaveLength(2);
    expect(screen(facts({ frozen }))[1]).toContain('Everything is frozen by cli/ada: a sale');
  });
});

describe('why it is not what git says', () => {
  it('held: who, why, since when, and how to go on', () => {
    const lines = screen(differing({ record: { ...facts().record, held } }));
    expect(lines).toContain('git: 2222222222 differs in 1 field');
    expect(lines).toContain('  env.VERSION: "1" -> "2"');
    expect(lines).toContain('- held by cli/ada since 2026-01-01T11:00:00.000Z: rolled back by hand');
    expect(lines.at(-1)).toBe('next: slipway resume production');
  });

  it('a hold that was for an earlier revision is over', () => {
    const old = { ...held, desiredDigest: DIGEST };
    expect(kinds(differing({ record: { ...facts().record, held: old } }))).not.toContain('held');
  });

  it('failed: the code, when it is tried again, and the evidence of this service', () => {
    const failed = {
      desiredDigest: 'e'.repeat(64),
      deploy: null,
      code: 'NEVER_READY',
      message: 'web.0 was not ready within 20 s',
      retryAt: '2026-01-01T12:00:08.000Z',
      attempts: 2,
    };
    const evidence = [
      {
        slot: 'web.0',
        reason: 'not ready',
        exitCode: 3,
        lastProbe: 'GET /healthz: 503',
        logs: ['1', '2', '3', '4', '5', '6'],
      },
    ];
    const failure = { deploy: 'x', at: '', by: 'controller', code: 'NEVER_READY', message: '', evidence };
    const lines = screen(differing({ record: { ...facts().record, failed }, failure }));
    expect(lines).toContain(
      '- failed with NEVER_READY (attempt 2): web.0 was not ready within 20 s; what was live goes on serving; it is tried again in 8 s',
    );
    expect(lines).toContain('  web.0: not ready, exit code 3');
    expect(lines).toContain('    last probe: GET /healthz: 503');
    expect(lines.filter((it) => it.includes('| ')).map((it) => it.trim())).toEqual(['| 2', '| 3', '| 4', '| 5', '| 6']);
    expect(lines.at(-1)).toBe('next: slipway deploys production');
  });

  it('a failure of an earlier revision explains nothing any more', () => {
    const failed = { desiredDigest: DIGEST, deploy: null, code: 'EXITED', message: '', retryAt: null, attempts: 1 };
    expect(kinds(differing({ record: { ...facts().record, failed } }))).toEqual(['not-begun']);
  });

  it('waiting: the phase of the deploy under way', () => {
    const lines = screen(differing({ open: [openDeploy()], leaseHolder: 'controller #m1:1:1' }));
    expect(lines.join('\n')).toMatch(/- deploy \w+ by controller is applying since .*: phase 2 of 2, start web\n/);
  });

  it('waiting for nobody: a deploy whose executor is gone', () => {
    const lines = screen(differing({ open: [openDeploy()] }));
    expect(lines.join('\n')).toContain('nobody works on it');
    expect(lines.at(-1)).toBe('next: slipway deploy production');
  });

  it('no controller, not read yet, not begun, changed since: each with what to do', () => {
    expect(screen(differing({ controller: null })).at(-1)).toBe('next: slipway up');
    expect(kinds(differing({ source: null }))).toEqual(['not-read']);
    expect(kinds(differing())).toEqual(['not-begun']);
    const record = { ...facts().record, carriedOut: 'e'.repeat(64) };
    expect(kinds(differing({ record }))).toEqual(['changed-since']);
  });

  it('git that cannot be read, or has problems, is said, and takes nothing away', () => {
    const away = facts({ git: { kind: 'unavailable', message: '/srv/fleet is not a repository' } });
    expect(screen(away).join('\n')).toContain('nothing is changed or removed for it: /srv/fleet is not a repository');
    const problems = ['namespaces/production.toml:3:1: no'];
    const bad = facts({ git: { kind: 'invalid', revision: '3'.repeat(40), problems } });
    expect(screen(bad)).toContain('  namespaces/production.toml:3:1: no');
  });
});

describe('what runs', () => {
  it('a machine that does not report is unknown, never missing', () => {
    const lines = screen(facts({ slots: [slot('web.0', 'unknown')] })).join('\n');
    expect(lines).toContain('- web.0 on m1 is unknown');
    expect(lines).not.toContain('missing');
  });

  it.each(['starting', 'unready', 'exited', 'paused', 'missing', 'draining'] as const)('%s is a finding', (state) => {
    expect(kinds(facts({ slots: [slot('web.0', 'ready'), slot('web.1', state)] }))).toEqual([`slot-${state}`]);
  });

  it('what it depends on and is not there', () => {
    const dependencies = [
      { service: 'db', condition: 'ready' as const, met: false, state: 'exited' },
      { service: 'cache', condition: 'ready' as const, met: true, state: '' },
    ];
    const lines = screen(facts({ dependencies }));
    expect(lines).toContain('- it depends on db being ready, which is exited');
    expect(lines.at(-1)).toBe('next: slipway why production/db');
  });

  it('what is not live', () => {
    expect(kinds(facts({ live: null }))).toEqual(['not-live']);
  });
});

it('stays on one screen, however much is wrong', () => {
  const many = Array.from({ length: 60 }, (_, i) => i);
  const fields = many.map((i) => ({ path: `env.V${i}`, before: 'a', after: 'b' }));
  const evidence = many.map((i) => ({
    slot: `web.${i}`,
    reason: 'r',
    exitCode: 1,
    lastProbe: 'p',
    logs: many.map(String),
  }));
  const git = { kind: 'differs' as const, revision: '2'.repeat(40), desiredDigest: DIGEST, fields };
  const lines = screen(
    facts({
      git,
      failure: { deploy: 'x', at: '', by: '', code: 'EXITED', message: 'm\n'.repeat(50), evidence },
      slots: many.map((i) => slot(`web.${i}`, i % 2 === 0 ? 'exited' : 'unready')),
      drift: many.map((i) => ({ at: `${i}`, slot: 'web.0', what: 'x' })),
    }),
  );
  expect(lines.length).toBeLessThanOrEqual(48);
  expect(lines).toContain('  and 52 more');
});
