import { describe, expect, it } from 'vitest';
import { createFreezes } from '../../../controller/consent/freezes.ts';
import { frozenNow, frozenText, thawAtMs } from '../../../controller/consent/frozen.ts';
import { untilOf } from '../../../controller/consent/until.ts';
import type { Freeze } from '../../../schemas/consent.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import { createFaultyStore } from '../../../store/memory.ts';

const NOW = Date.parse('2026-01-01T12:00:00.000Z');

function freeze(overrides: Partial<Freeze> = {}): Freeze {
  return {
    scope: 'production',
    by: 'cli/ops',
    why: 'a sale',
    at: '2026-01-01T00:00:00.000Z',
    until: null,
    ...overrides,
  };
}

describe('a freeze', () => {
  it('holds until it is lifted, or until its time is over', () => {
    expect(frozenNow('production', freeze(), NOW)).toMatchObject({ why: 'a sale', readable: true });
    expect(frozenNow('production', freeze({ until: '2026-01-01T12:00:00.001Z' }), NOW)).not.toBe(null);
    expect(frozenNow('production', freeze({ until: '2026-01-01T12:00:00.000Z' }), NOW)).toBe(null);
    expect(frozenNow('production', freeze({ until: '2025-01-01T00:00:00.000Z' }), NOW)).toBe(null);
  });

  it.each([null, 'frozen', {}, { ...freeze(), until: 'tomorrow' }, { ...freeze(), until: undefined }])(
    'holds when its record says nothing that makes sense: %j',
    (value) => {
      expect(frozenNow('production', value, NOW)).toMatchObject({ readable: false });
    },
  );

  it('is looked at again when it ends, at least every hour, and soon when it cannot be read', () => {
    const at = (until: string | null, readable = true) =>
      thawAtMs({ scope: '*', by: '', why: '', until, readable }, NOW);
    expect(at('2026-01-01T12:00:30.000Z')).toBe(NOW + 30_000);
    expect(at('2027-01-01T00:00:00.000Z')).toBe(NOW + 3_600_000);
    expect(at(null)).toBe(null);
    expect(at(null, false)).toBe(NOW + 5_000);
  });

  it('says who, why and until when', () => {
    expect(frozenText({ scope: '*', by: 'cli/ops', why: 'a sale', until: null, readable: true })).toBe(
      'Everything is frozen by cli/ops: a sale',
    );
  });
});

describe('until', () => {
  it('is a duration from now, or a moment', () => {
    expect(untilOf('2h', NOW)).toBe('2026-01-01T14:00:00.000Z');
    expect(untilOf('1h30m', NOW)).toBe('2026-01-01T13:30:00.000Z');
    expect(untilOf('2026-02-01T08:00Z', NOW)).toBe('2026-02-01T08:00:00.000Z');
  });

  it.each(['soon', '', '2h ', '2026-13-01', '1/2/2026', '2025-12-31T00:00Z', '0s', '-1h'])('refuses %j', (text) => {
    expect(() => untilOf(text, NOW)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('freezes in the store', () => {
  const clock = { now: () => NOW };
  const start = () => {
    const { store, faults } = createFaultyStore({ clock, log: silentLogger, timing: { patienceMs: 50 } });
    return { store, faults, freezes: createFreezes({ bucket: store.bucket('freezes'), now: clock.now }) };
  };

  it('hold their namespace, or all of them', async () => {
    const { freezes } = start();
    await freezes.set(freeze());
    expect(await freezes.holding('production')).toMatchObject({ scope: 'production' });
    expect(await freezes.holding('staging')).toBe(null);
    await freezes.set(freeze({ scope: '*' }));
    expect(await freezes.holding('staging')).toMatchObject({ scope: '*' });
    expect(await freezes.lift('*')).toBe(true);
    expect(await freezes.lift('*')).toBe(false);
    expect(await freezes.holding('staging')).toBe(null);
    await expect(freezes.refuseFrozen('production')).rejects.toMatchObject({ code: 'FROZEN' });
  });

  it('hold everything when the store does not answer, or a record cannot be read', async () => {
    const { store, faults, freezes } = start();
    await store.bucket('freezes').put(['ns', 'production'], { scope: 'production', forever: true });
    expect(await freezes.holding('production')).toMatchObject({ readable: false });
    expect(await freezes.list()).toMatchObject([{ scope: 'production', readable: false }]);
    faults.disconnect();
    expect(await freezes.holding('staging')).toMatchObject({ readable: false, scope: '*' });
    expect(await freezes.list()).toMatchObject([{ scope: '*', readable: false }]);
    await expect(freezes.refuseFrozen('staging')).rejects.toMatchObject({ code: 'FROZEN' });
  });
});
