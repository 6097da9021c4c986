/** Which volumes there are, and which may go. */
import { describe, expect, it } from 'vitest';
import { removable } from '../../../controller/execute/remove-volume.ts';
import { mergeVolumes, type VolumeStatus } from '../../../controller/execute/volumes.ts';

const named = { namespace: 'shop', volume: 'data', machine: 'm1', users: ['web'] };

describe('the list of volumes', () => {
  it('is what the log names and what machines have, each once and in order', () => {
    const present = new Map([
      ['m1', [{ namespace: 'shop', volume: 'data' }]],
      ['m2', [{ namespace: 'blog', volume: 'data' }]],
    ]);
    expect(mergeVolumes([named], present)).toEqual([
      { namespace: 'blog', volume: 'data', machine: 'm2', users: [], named: false, present: true },
      { ...named, named: true, present: true },
    ]);
  });

  it('tells what is missing from what is unknown', () => {
    const presentOf = (present: Map<string, [] | null>) => mergeVolumes([named], present).map((it) => it.present);
    expect(presentOf(new Map([['m1', []]]))).toEqual([false]);
    expect(presentOf(new Map([['m1', null]]))).toEqual([null]);
    expect(presentOf(new Map())).toEqual([null]);
  });
});

describe('a volume', () => {
  const row: VolumeStatus = { ...named, users: [], named: true, present: true };
  const ask = { namespace: 'shop', volume: 'data', confirmed: true };

  it('may go when nothing mounts it, also when it is missing or left over', () => {
    for (const it of [row, { ...row, present: false }, { ...row, named: false }])
      expect(removable([it], ask)).toEqual([it]);
  });

  it.each([
    [{ users: ['db', 'web'] }, ask, 'VOLUME_IN_USE', 'volume shop/data is mounted by db, web'],
    [{ present: null }, ask, 'MACHINE_UNREACHABLE', 'volume shop/data lies on m1, whose agent does not answer'],
    [{}, { ...ask, confirmed: false }, 'CONSENT_NEEDED', 'the data of volume shop/data on m1 cannot be brought back'],
    [{}, { ...ask, volume: 'dta' }, 'UNKNOWN_VOLUME', 'shop has no volume dta: it has data'],
    [{ namespace: 'blog' }, ask, 'UNKNOWN_VOLUME', 'shop has no volume data: it has none'],
  ])('may not go: %j', (changes, args, code, message) => {
    const attempt = () => removable([{ ...row, ...changes }], args);
    expect(attempt).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });
});
