import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePackedRefs } from '../../../controller/git/local-refs.ts';
import { offsetInPack } from '../../../controller/git/object-size.ts';
import { oneLine, parseCommit, parseTree } from '../../../controller/git/parse-objects.ts';
import { kindOfMode } from '../../../controller/git/tree-walk.ts';

const OID = 'ab'.repeat(20);

function treeBytes(lines: readonly (readonly [mode: string, name: string | Buffer])[]): Buffer {
  return Buffer.concat(
    lines.flatMap(([mode, name]) => [
      Buffer.from(`${mode} `),
      Buffer.from(name),
      Buffer.from([0]),
      Buffer.from(OID, 'hex'),
    ]),
  );
}

describe('trees', () => {
  it('gives mode, name and object of every line, whatever the name holds', () => {
    const bytes = treeBytes([
      ['100644', 'a b\n.toml'],
      ['40000', '..'],
      ['120000', Buffer.from([0xff, 0xfe])],
    ]);
    expect(parseTree(bytes)).toEqual([
      { mode: '100644', name: 'a b\n.toml', oid: OID },
      { mode: '040000', name: '..', oid: OID },
      { mode: '120000', name: '��', oid: OID },
    ]);
    expect(parseTree(new Uint8Array())).toEqual([]);
  });

  it('refuses rubbish and trees that are cut, and never throws', () => {
    expect(parseTree(treeBytes([['100644', 'a']]).subarray(0, -1))).toBeNull();
    expect(parseTree(treeBytes([['999999', 'a']]))).toBeNull();
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void parseTree(bytes)));
  });

  it('knows the kinds of git, and no other', () => {
    const modes = ['100644', '100755', '040000', '120000', '160000', '000000'];
    expect(modes.map(kindOfMode)).toEqual(['file', 'file', 'folder', 'symlink', 'submodule', 'unknown']);
  });
});

describe('commits', () => {
  it('gives tree, parents, author and subject', () => {
    const text = `tree ${OID}\nparent ${OID}\nparent ${OID}\nauthor Ada L <ada@x> 1 +0000\ncommitter B <b@x> 1 +0000\n\nSubject\n\nbody`;
    expect(parseCommit(Buffer.from(text))).toEqual({
      tree: OID,
      parents: [OID, OID],
      author: 'Ada L',
      authorEmail: 'ada@x',
      subject: 'Subject',
      committedSeconds: 1,
    });
  });

  it('takes no parent from the message', () => {
    const text = `tree ${OID}\nauthor A <a@x> 1 +0000\n\nparent ${'c'.repeat(40)}`;
    expect(parseCommit(Buffer.from(text))?.parents).toEqual([]);
  });

  it('is null for rubbish and never throws', () => {
    expect(parseCommit(Buffer.from('rubbish'))).toBeNull();
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void parseCommit(bytes)));
  });

  it('makes text of strangers one bounded line without control or direction characters', () => {
    expect(oneLine('a\u001b[31mb\r\nc\u202ed')).toBe('a [31mb c d');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), (text) => {
        const line = oneLine(text);
        return line.length <= 200 && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(line);
      }),
    );
  });
});

it('packed refs are read without their comments and peeled lines', () => {
  const text = `# pack-refs with: peeled fully-peeled sorted\n${OID} refs/heads/main\n${OID} refs/tags/v1\n^${OID}\nrubbish\n`;
  expect([...parsePackedRefs(text).keys()]).toEqual(['refs/heads/main', 'refs/tags/v1']);
});

it('an object is found in a pack index exactly when it is there', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.stringMatching(/^[0-9a-f]{40}$/), { maxLength: 40 }), (oids) => {
      const sorted = oids.toSorted();
      const index = indexOf(sorted);
      expect(sorted.map((it) => offsetInPack(index, it))).toEqual(sorted.map((_, at) => 12 + at));
      expect(offsetInPack(index, OID)).toBe(sorted.includes(OID) ? 12 + sorted.indexOf(OID) : null);
    }),
  );
});

/** A pack index (version 2) of sorted ids at offsets 12, 13, … */
function indexOf(oids: readonly string[]): Buffer {
  const head = Buffer.alloc(8 + 256 * 4);
  head.writeUInt32BE(0xff744f63, 0);
  head.writeUInt32BE(2, 4);
  for (let bucket = 0; bucket < 256; bucket++) {
    head.writeUInt32BE(oids.filter((it) => Number.parseInt(it.slice(0, 2), 16) <= bucket).length, 8 + bucket * 4);
  }
  const offsets = Buffer.alloc(oids.length * 4);
  for (const at of oids.keys()) offsets.writeUInt32BE(12 + at, at * 4);
  return Buffer.concat([head, Buffer.from(oids.join(''), 'hex'), Buffer.alloc(oids.length * 4), offsets]);
}
