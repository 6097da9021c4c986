import { sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Step } from '../../schemas/step.ts';
import { generateKey, keyIdOf, loadOrCreateKey } from '../../trust/keys.ts';
import { signStep, verifyStep } from '../../trust/sign.ts';
import { createTrustList, type TrustList, trustedKeys, verifyTrustList } from '../../trust/trust-list.ts';

const key = generateKey();
const stranger = generateKey();
const root = generateKey();
const trusted = new Map([[key.keyId, key.publicKey]]);
const untrusted = expect.objectContaining({ code: 'UNTRUSTED' });

const step: Step = {
  installation: '0123abcd',
  machine: 'm1',
  namespace: 'production',
  deploy: '0000000000000001',
  id: 'apply/1',
  fence: { generation: 1, revision: 7 },
  action: { verb: 'apply', n: 3 },
};

describe('a signed step', () => {
  it('gives the step that was signed, also after it crossed the wire', () => {
    const wire: unknown = JSON.parse(JSON.stringify(signStep(step, key)));
    expect(verifyStep(wire, trusted)).toEqual(step);
  });

  it('is refused when one byte of it was changed', () => {
    const signed = signStep(step, key);
    for (const body of [signed.body.replace('"n":3', '"n":4'), `${signed.body} `, signed.body.replace('m1', 'm2')]) {
      expect(() => verifyStep({ ...signed, body }, trusted)).toThrow(untrusted);
    }
  });

  it('is refused with the signature of another step, none, or rubbish', () => {
    const signed = signStep(step, key);
    const other = signStep({ ...step, machine: 'm2' }, key);
    for (const signature of [other.signature, '', 'rubbish', `${signed.signature.slice(0, -4)}AAAA`]) {
      expect(() => verifyStep({ ...signed, signature }, trusted)).toThrow(untrusted);
    }
  });

  it('is refused from a key that is not on the list, also under the id of one that is', () => {
    const signed = signStep(step, stranger);
    expect(() => verifyStep(signed, trusted)).toThrow(untrusted);
    expect(() => verifyStep({ ...signed, keyId: key.keyId }, trusted)).toThrow(untrusted);
    expect(() => verifyStep(signStep(step, key), new Map())).toThrow(untrusted);
  });

  it('is refused when it is no signed step at all', () => {
    for (const value of [null, undefined, 'step', {}, step, { ...signStep(step, key), more: 1 }]) {
      expect(() => verifyStep(value, trusted)).toThrow(untrusted);
    }
  });

  it('is refused when a trusted key signed something that is no step', () => {
    const odd = { ...step, action: { verb: 'format-disk' } } as unknown as Step;
    expect(() => verifyStep(signStep(odd, key), trusted)).toThrow(untrusted);
    const body = '{"half":';
    const signature = sign(null, Buffer.from(`slipway step 1\n${body}`), key.privateKey).toString('base64');
    expect(() => verifyStep({ body, keyId: key.keyId, signature }, trusted)).toThrow(untrusted);
  });
});

describe('the list of trusted keys', () => {
  const list: TrustList = {
    installation: '0123abcd',
    serial: 1,
    keys: [{ name: 'operator', publicKey: key.publicKey }],
  };

  it('names the keys that the root signed', () => {
    const signed: unknown = JSON.parse(JSON.stringify(createTrustList(list, root)));
    expect(trustedKeys(verifyTrustList(signed, root.publicKey, '0123abcd'))).toEqual(trusted);
  });

  it('is refused when a key was added, the serial changed, or another root signed it', () => {
    const signed = createTrustList(list, root);
    const added = { ...list, keys: [...list.keys, { name: 'x', publicKey: stranger.publicKey }] };
    const forged = [
      { ...signed, list: added },
      { ...signed, list: { ...list, serial: 2 } },
      createTrustList(list, stranger),
      { ...createTrustList(added, stranger), root: root.publicKey },
    ];
    for (const it of forged) expect(() => verifyTrustList(it, root.publicKey, '0123abcd')).toThrow(untrusted);
  });

  it('is refused in another installation', () => {
    expect(() => verifyTrustList(createTrustList(list, root), root.publicKey, 'ffffffff')).toThrow(untrusted);
  });

  it('cannot be made of the signature of a step, nor the other way round', () => {
    const asStep = signStep(list as unknown as Step, root);
    const forged = { list, root: root.publicKey, signature: asStep.signature };
    expect(() => verifyTrustList(forged, root.publicKey, '0123abcd')).toThrow(untrusted);
  });
});

describe('a key in a file', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'slipway-keys-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('is made once, for its owner only, and is the same afterwards', async () => {
    const path = join(dir, 'keys', 'operator.pem');
    const made = await loadOrCreateKey(path);
    const again = await loadOrCreateKey(path);
    expect(again.publicKey).toBe(made.publicKey);
    expect(made.keyId).toMatch(/^[0-9a-f]{16}$/);
    expect(keyIdOf(made.publicKey)).toBe(made.keyId);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'keys')).mode & 0o777).toBe(0o700);
    expect(verifyStep(signStep(step, again), new Map([[made.keyId, made.publicKey]]))).toEqual(step);
  });

  it('is the same for all who make it at once', async () => {
    const path = join(dir, 'race', 'operator.pem');
    const made = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateKey(path)));
    expect(new Set(made.map((it) => it.keyId)).size).toBe(1);
  });

  it('is never replaced when it cannot be read', async () => {
    const path = join(dir, 'broken.pem');
    writeFileSync(path, 'no key');
    await expect(loadOrCreateKey(path)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    await expect(loadOrCreateKey(dir)).rejects.toMatchObject({ code: 'UNTRUSTED' });
    expect(readFileSync(path, 'utf8')).toBe('no key');
  });
});
