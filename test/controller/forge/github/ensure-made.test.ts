/** Creates whose answer is lost. */
import { describe, expect, it } from 'vitest';
import { ensureMade } from '../../../../controller/forge/github/ensure-made.ts';
import { SlipwayError } from '../../../../schemas/errors.ts';

const LOST = new SlipwayError('FORGE_UNAVAILABLE', 'GitHub answered 502', { status: 502, unclear: true });
const NO = new SlipwayError('FORGE_INVALID', 'no', { status: 422 });

/** A forge with things; each make goes as its outcome says. */
function world(...outcomes: ('made' | 'lost' | 'made, answer lost' | 'late' | 'refused')[]) {
  const things: number[] = [];
  const late: number[] = [];
  const log: string[] = [];
  const make = async () => {
    log.push('make');
    const outcome = outcomes.shift();
    if (outcome === 'refused') throw NO;
    const thing = things.length + late.length + 1;
    if (outcome === 'late') late.push(thing);
    if (outcome === 'made' || outcome === 'made, answer lost') things.push(thing);
    if (outcome !== 'made') throw LOST;
    return thing;
  };
  const find = async () => {
    log.push('find');
    return things[0] ?? null;
  };
  const pause = async () => {
    log.push('pause');
  };
  return { things, log, args: { find, make, pause } };
}

describe('a create', () => {
  it('is not sent for what is there', async () => {
    const { args, things, log } = world();
    things.push(9);
    expect(await ensureMade(args)).toBe(9);
    expect(log).toEqual(['find']);
  });

  it('whose answer is lost after the deed is looked for, and not sent again', async () => {
    const { args, things, log } = world('made, answer lost');
    expect(await ensureMade(args)).toBe(1);
    expect(things).toEqual([1]);
    expect(log).toEqual(['find', 'make', 'pause', 'find']);
  });

  it('that was lost before the deed is sent once more', async () => {
    const { args, things } = world('lost', 'made');
    expect(await ensureMade(args)).toBe(1);
    expect(things).toEqual([1]);
  });

  it('that is lost twice fails', async () => {
    const { args, log } = world('lost', 'lost');
    await expect(ensureMade(args)).rejects.toBe(LOST);
    expect(log.filter((it) => it === 'make')).toHaveLength(2);
  });

  it('that is refused is not sent again', async () => {
    const { args, log } = world('refused');
    await expect(ensureMade(args)).rejects.toBe(NO);
    expect(log).toEqual(['find', 'make']);
  });
});
