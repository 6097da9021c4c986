import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generateKey } from '../../trust/keys.ts';
import { sshPublicKey, sshSign, sshVerify } from '../../trust/ssh-signature.ts';

const key = generateKey();
const stranger = generateKey();
const trusted = new Map([[key.keyId, key.publicKey]]);
const message = Buffer.from('tree 0\n\nproduction #1: release – größer\n');
const armoured = sshSign(message, { ...key, purpose: 'git' });
const verdict = (args: { message?: Uint8Array; armoured?: string; purpose?: string }) =>
  sshVerify(args.message ?? message, { armoured: args.armoured ?? armoured, purpose: args.purpose ?? 'git', trusted });

describe('a signature in the format of ssh', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'slipway-ssh-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('names the trusted key that made it', () => {
    expect(verdict({})).toEqual({ keyId: key.keyId });
  });

  it('is the same for the same bytes, so that two controllers make the same commit', () => {
    expect(sshSign(message, { ...key, purpose: 'git' })).toBe(armoured);
  });

  it('is good for ssh-keygen, and one of ssh-keygen is good for us', () => {
    const file = (name: string, content: string | Uint8Array, mode = 0o600) => {
      writeFileSync(join(dir, name), content, { mode });
      return join(dir, name);
    };
    const signers = file('signers', `slipway@x.invalid namespaces="git" ${sshPublicKey(key.publicKey)}\n`);
    const argv = ['-Y', 'verify', '-f', signers, '-I', 'slipway@x.invalid', '-n', 'git'];
    const said = execFileSync('ssh-keygen', [...argv, '-s', file('sig', armoured)], { input: message }).toString();
    expect(said).toContain('Good "git" signature for slipway@x.invalid');

    const own = join(dir, 'own');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', own]);
    const theirs = execFileSync('ssh-keygen', ['-Y', 'sign', '-f', own, '-n', 'git'], { input: message }).toString();
    expect(verdict({ armoured: theirs })).toEqual({
      keyId: null,
      why: 'it is signed by a key that is not on the list',
    });
  });

  it('is refused for other bytes, another purpose, an unknown key, and what is no signature', () => {
    const other = Buffer.from(message);
    other[0] = (other[0] ?? 0) ^ 1;
    expect(verdict({ message: other })).toEqual({ keyId: null, why: 'its signature is wrong' });
    expect(verdict({ purpose: 'file' })).toEqual({ keyId: null, why: 'its signature is for another purpose' });
    const unknown = sshSign(message, { ...stranger, purpose: 'git' });
    expect(verdict({ armoured: unknown })).toMatchObject({ why: 'it is signed by a key that is not on the list' });
    for (const rubbish of ['', 'x', armoured.slice(0, 120), armoured.replace('AAAAC3', 'AAAAD3')])
      expect(verdict({ armoured: rubbish }).keyId).toBeNull();
  });

  it('of a stranger that names a trusted key is wrong', () => {
    const forged = sshSign(message, { purpose: 'git', publicKey: key.publicKey, privateKey: stranger.privateKey });
    expect(verdict({ armoured: forged })).toEqual({ keyId: null, why: 'its signature is wrong' });
  });
});
