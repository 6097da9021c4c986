import { describe, expect, it } from 'vitest';
import { batchesOf } from '../../../controller/record/chain.ts';
import { type LedgerEntry, messageOf, personOf } from '../../../controller/record/describe-entry.ts';
import { GIT_PURPOSE, readLedgerCommit } from '../../../controller/record/ledger-commit.ts';
import { readTree, specsNamedBy, treeOf } from '../../../controller/record/tree.ts';
import { canonicalJson } from '../../../schemas/canonical.ts';
import type { LogEntry } from '../../../schemas/release.ts';
import { specDigest } from '../../../schemas/service.ts';
import { generateKey } from '../../../trust/keys.ts';
import { sshSign } from '../../../trust/ssh-signature.ts';
import { deployId, release } from '../../builders/release.ts';
import { serviceSpec } from '../../builders/service.ts';

const key = generateKey();
const trusted = new Map([[key.keyId, key.publicKey]]);
const web = serviceSpec();
const specs = new Map([[specDigest(web), web]]);
const first = release([web]);
const common = { namespace: 'production', at: first.at, actor: 'loop', deploy: deployId(2) };
const voided: LogEntry = { ...common, kind: 'void', n: 2, reason: 'never ready' };
const job: LedgerEntry = { ...common, kind: 'job', n: 3, service: 'migrate', template: '1'.repeat(64), exitCode: 0 };

/** The bytes of a commit, signed unless `signature` says otherwise. */
function commitOf(message: string, signature?: string | null): Buffer {
  const head = `tree ${'a'.repeat(40)}\nparent ${'b'.repeat(40)}\nauthor x <x@x> 1 +0000\ncommitter x <x@x> 1767225600 +0000`;
  const payload = Buffer.from(`${head}\n\n${message}`);
  const armoured = signature === undefined ? sshSign(payload, { ...key, purpose: GIT_PURPOSE }) : signature;
  if (armoured === null) return payload;
  return Buffer.from(`${head}\ngpgsig ${armoured.trimEnd().split('\n').join('\n ')}\n\n${message}`);
}
const read = (raw: Uint8Array) => readLedgerCommit('c'.repeat(40), raw, trusted);

describe('the message of a release', () => {
  it('says what it is, and has every trailer', () => {
    const revision = '1234567890'.repeat(4);
    const lineage = {
      previous: 40,
      rollbackTo: 39,
      forkedFrom: { namespace: 'staging', n: 4 },
      promotedFrom: { namespace: 'pr-7', n: 3 },
    };
    const it = release([web], { n: 41, source: { revision, desiredDigest: '0'.repeat(64) }, lineage });
    expect(messageOf(it)).toBe(`production #41: release, back to #39

1 service, 1 slot, 0 volumes: web

Slipway-Release: production@41
Slipway-Plan: ${'0'.repeat(64)}
Slipway-Deploy: 0000000000000000
Slipway-Actor: loop
Slipway-Source: ${revision}
Slipway-Rollback-To: production@39
Slipway-Forked-From: staging@4
Slipway-Promoted-From: pr-7@3
`);
  });

  it('has the time of the release, whoever writes it', () => {
    expect(personOf(first, '0123abcd')).toEqual({
      name: 'Slipway',
      email: 'slipway@0123abcd.invalid',
      timestamp: 1_767_225_600,
    });
  });

  it('cannot be given a trailer by the name of who deployed', () => {
    const message = messageOf(release([web], { actor: 'eve\n\nSlipway-Release: production@99\u2028x' }));
    expect(message.match(/^Slipway-Release/gm)).toHaveLength(1);
    expect(read(commitOf(message)).says?.entry.n).toBe(1);
  });
});

describe('a commit that was read', () => {
  const message = messageOf(job);

  it('is believed when a trusted key signed exactly its bytes', () => {
    expect(read(commitOf(message))).toMatchObject({
      signedBy: key.keyId,
      why: null,
      parents: ['b'.repeat(40)],
      says: { kind: 'job', entry: { namespace: 'production', n: 3 }, deploy: deployId(2), at: first.at },
    });
  });

  it('is not believed without a signature, with that of other bytes or of a stranger, or when it says nothing', () => {
    const stranger = generateKey();
    const other = sshSign(Buffer.from('other'), { ...key, purpose: GIT_PURPOSE });
    const foreign = sshSign(Buffer.from(commitOf(message, null)), { ...stranger, purpose: GIT_PURPOSE });
    expect(read(commitOf(message, null))).toMatchObject({ signedBy: null, why: 'it is not signed' });
    expect(read(commitOf(message, other))).toMatchObject({ signedBy: null, why: 'its signature is wrong' });
    expect(read(commitOf(message, foreign))).toMatchObject({ signedBy: null, why: expect.stringContaining('list') });
    expect(read(commitOf('Merge branch main\n'))).toMatchObject({
      signedBy: null,
      why: expect.stringContaining('no entry'),
    });
    expect(read(Buffer.from('rubbish')).signedBy).toBeNull();
  });

  it('does not count the source revision among commits of the ledger', () => {
    const revision = 'b'.repeat(40);
    const from = release([web], { source: { revision, desiredDigest: '0'.repeat(64) } });
    expect(read(commitOf(messageOf(from))).parents).toEqual([]);
  });
});

describe('the tree of a release', () => {
  const entry = release([web], { n: 4 });

  it('holds the bytes of the log, the specs, what is between, and a manifest for people', () => {
    const files = treeOf({ entry, between: [voided], specs });
    const digest = specDigest(web);
    expect([...files.keys()]).toEqual(['log/2.json', 'release.json', `specs/${digest}.json`, 'manifest.json']);
    expect(Buffer.from(files.get('release.json') ?? []).toString()).toBe(canonicalJson(entry));
    expect(Buffer.from(files.get('manifest.json') ?? []).toString()).toContain('"imageName": "registry.example/web:1"');
    const back = readTree('production', files);
    expect(back).toEqual({ entries: [voided, entry], specs, problems: [] });
    expect(specsNamedBy(entry)).toEqual([digest]);
  });

  it('is not believed when a spec is missing or another, or an entry belongs elsewhere', () => {
    const files = treeOf({ entry, between: [], specs });
    const path = `specs/${specDigest(web)}.json`;
    const without = new Map([...files].filter(([it]) => it !== path));
    expect(readTree('production', without).problems).toHaveLength(1);
    const changed = new Map(files).set(path, Buffer.from(canonicalJson({ ...web, imageName: 'evil' })));
    expect(readTree('production', changed).problems[0]).toContain('is not the spec that its name says');
    expect(readTree('staging', files).problems).toEqual(['release.json is not an entry of the log of staging']);
    expect(readTree('production', new Map(files).set('log/9.json', Buffer.from('{'))).problems).toHaveLength(1);
  });

  it('of a job holds its end, and what was voided before it travels along', () => {
    const [batch, ...more] = batchesOf([voided, job, { ...voided, n: 4 }]);
    expect(more).toEqual([]);
    expect(batch).toEqual({ entry: job, between: [voided] });
    const files = treeOf({ entry: job, between: [voided], specs: new Map() });
    expect([...files.keys()]).toEqual(['log/2.json', 'log/3.json']);
  });
});
