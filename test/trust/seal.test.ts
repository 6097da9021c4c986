/** Sealing: what goes in comes out, under the right key and for the same name only. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  generateMachineKeys,
  openForCluster,
  openForMachine,
  sealForCluster,
  sealForMachine,
} from '../../trust/seal.ts';

const ABOUT = { installation: '0a1b2c3d', namespace: 'production', name: 'db-password', version: 3 };
const OTHERS = [
  { ...ABOUT, installation: 'ffffffff' },
  { ...ABOUT, namespace: 'staging' },
  { ...ABOUT, name: 'other' },
  { ...ABOUT, version: 4 },
];
const unreadable = expect.objectContaining({ code: 'SECRET_UNREADABLE' });

describe('under the cluster key', () => {
  const key = randomBytes(32);

  it('gives back exactly the bytes that were sealed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
        const sealed = sealForCluster(Buffer.from(bytes), key, ABOUT);
        expect(openForCluster(sealed, key, ABOUT).equals(Buffer.from(bytes))).toBe(true);
      }),
    );
  });

  it('opens neither with another key, nor as another secret, nor when a byte differs', () => {
    const sealed = sealForCluster(Buffer.from('value'), key, ABOUT);
    expect(() => openForCluster(sealed, randomBytes(32), ABOUT)).toThrow(unreadable);
    for (const other of OTHERS) expect(() => openForCluster(sealed, key, other)).toThrow(unreadable);
    const bytes = Buffer.from(sealed, 'base64');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => openForCluster(changed.toString('base64'), key, ABOUT)).toThrow(unreadable);
    }
    expect(() => openForCluster('', key, ABOUT)).toThrow(unreadable);
  });

  it('never seals the same value to the same text', () => {
    const texts = Array.from({ length: 20 }, () => sealForCluster(Buffer.from('value'), key, ABOUT));
    expect(new Set(texts).size).toBe(20);
  });
});

describe('to a machine', () => {
  it('is opened by that machine only, and as that secret only', async () => {
    const [mine, other] = [await generateMachineKeys(), await generateMachineKeys()];
    const box = await sealForMachine(Buffer.from([0, 255, 10]), mine.publicKey, ABOUT);

    expect([...(await openForMachine(box, mine.privateKey, ABOUT))]).toEqual([0, 255, 10]);
    await expect(openForMachine(box, other.privateKey, ABOUT)).rejects.toThrow(unreadable);
    for (const it of OTHERS) await expect(openForMachine(box, mine.privateKey, it)).rejects.toThrow(unreadable);
  });
});
