/**
 * Writes loose objects as git does: deflated, in place by a rename, never written over. A reader, git among them, sees
 * an object whole or not at all. Format: git's "Pro Git" chapter 10.2 and git-hash-object(1).
 */
import { createHash, randomUUID } from 'node:crypto';
import { chown, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';

type ObjectType = 'blob' | 'tree' | 'commit';

/** Writes objects into one git directory. */
export interface LooseObjects {
  /** The object is there; gives its id. */
  write(type: ObjectType, content: Uint8Array): Promise<string>;
}

/** The bytes that are hashed and stored, and their id. */
function wrapObject(type: ObjectType, content: Uint8Array): { oid: string; bytes: Uint8Array } {
  const bytes = Buffer.concat([Buffer.from(`${type} ${content.byteLength}\0`), content]);
  return { oid: createHash('sha1').update(bytes).digest('hex'), bytes };
}

/** Writes below `gitdir`, which must be there. */
export function createLooseObjects(gitdir: string): LooseObjects {
  const root = join(gitdir, 'objects');
  return {
    async write(type, content) {
      const { oid, bytes } = wrapObject(type, content);
      const folder = join(root, oid.slice(0, 2));
      const path = join(folder, oid.slice(2));
      if (await exists(path)) return oid;
      const made = await mkdir(folder, { recursive: true });
      const beside = join(folder, `tmp_obj_${randomUUID()}`);
      const file = await open(beside, 'wx', 0o444);
      try {
        await file.writeFile(await promisify(deflate)(bytes));
        await file.sync();
      } catch (error) {
        await rm(beside, { force: true });
        throw error;
      } finally {
        await file.close();
      }
      await giveAway(root, made === undefined ? [beside] : [folder, beside]);
      await rename(beside, path);
      return oid;
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

/** Made by root in a repository of somebody else, they could not be written to by its owner any more. */
async function giveAway(root: string, paths: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(root);
  if (uid === 0) return;
  for (const path of paths) await chown(path, uid, gid);
}
