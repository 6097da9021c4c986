/** A registry of images that can be pulled and run: busybox and as much that cannot be compressed as is wanted. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';

export interface ImageRegistry {
  /** `127.0.0.1:PORT`, which engines talk to without TLS. */
  readonly host: string;
  /** Adds an image with a layer of its own; gives its name. */
  add(name: string, junkBytes: number): Promise<string>;
  close(): void;
}

/** Serves images, GET and HEAD only. Source: distribution spec, "Pulling manifests" and "Pulling blobs". */
export async function openImageRegistry(): Promise<ImageRegistry> {
  const blobs = new Map<string, { type: string; bytes: Buffer }>();
  const tags = new Map<string, string>();
  const put = (type: string, bytes: Buffer) => {
    const digest = digestOf(bytes);
    blobs.set(digest, { type, bytes });
    return { mediaType: type, size: bytes.length, digest };
  };
  const server = createServer((request, response) => {
    const [, repo = '', , ref = ''] = /^\/v2\/(?:(.+)\/(manifests|blobs)\/(.+))?$/.exec(request.url ?? '') ?? [];
    const digest = ref.startsWith('sha256:') ? ref : (tags.get(`${repo}:${ref}`) ?? '');
    const found = repo === '' ? { type: 'application/json', bytes: Buffer.from('{}') } : blobs.get(digest);
    if (found === undefined) {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
      return;
    }
    const { type, bytes } = found;
    response.writeHead(200, {
      'content-type': type,
      'content-length': bytes.length,
      'docker-content-digest': digest,
    });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    async add(name, junkBytes) {
      const tar = await layer(junkBytes);
      const config = {
        architecture: process.arch === 'x64' ? 'amd64' : process.arch,
        os: 'linux',
        config: {},
        rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
      };
      const manifest = {
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: put('application/vnd.docker.container.image.v1+json', Buffer.from(JSON.stringify(config))),
        layers: [put('application/vnd.docker.image.rootfs.diff.tar.gzip', gzipSync(tar, { level: 0 }))],
      };
      tags.set(`${name}:1`, put(MANIFEST, Buffer.from(JSON.stringify(manifest))).digest);
      return `${host}/${name}:1`;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function layer(junkBytes: number): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-layer-'));
  try {
    await mkdir(join(folder, 'root/bin'), { recursive: true });
    await mkdir(join(folder, 'root/www'));
    await copyFile('/bin/busybox', join(folder, 'root/bin/busybox'));
    await writeFile(join(folder, 'root/www/index.html'), 'hello\n');
    await writeFile(join(folder, 'root/junk'), randomBytes(junkBytes));
    await promisify(execFile)('tar', ['-C', join(folder, 'root'), '-cf', join(folder, 'layer.tar'), '.']);
    return await readFile(join(folder, 'layer.tar'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
