/** A registry of images made up on the spot (distribution spec, GET only); loopback, which engines allow without TLS. */
import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

const MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';

/** How requests for a repository are answered. */
export type Behaviour = 'serves' | 'wants-login' | 'only-arm64' | 'fails';

export interface TestRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** Digest of the image that every serving repository has. */
  readonly digest: string;
  readonly user: string;
  readonly password: string;
  close(): void;
}

/** What is in an image: the tar of its only layer, and its `config` (OCI image specification). */
export interface ImageContent {
  readonly tar: Buffer;
  readonly config: object;
}

const NOTHING: ImageContent = { tar: Buffer.alloc(1024), config: {} };

/**
 * Repositories by name; any other does not exist. `unique` makes the image differ from that of other registries. Without
 * content there is nothing in it that could run.
 */
export async function openRegistry(
  repos: Record<string, Behaviour>,
  unique: string,
  content: ImageContent = NOTHING,
): Promise<TestRegistry> {
  const blobs = new Map<string, { type: string; bytes: Buffer }>();
  const put = (type: string, bytes: Buffer) => {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    blobs.set(digest, { type, bytes });
    return { mediaType: type, size: bytes.length, digest };
  };
  const image = (architecture: string) => {
    const { tar } = content;
    const layer = put('application/vnd.docker.image.rootfs.diff.tar.gzip', gzipSync(tar));
    const diffId = `sha256:${createHash('sha256').update(tar).digest('hex')}`;
    const config = {
      architecture,
      os: 'linux',
      config: { ...content.config, Labels: { unique } },
      rootfs: { type: 'layers', diff_ids: [diffId] },
    };
    const configBlob = put('application/vnd.docker.container.image.v1+json', Buffer.from(JSON.stringify(config)));
    const manifest = { schemaVersion: 2, mediaType: MANIFEST, config: configBlob, layers: [layer] };
    return put(MANIFEST, Buffer.from(JSON.stringify(manifest)));
  };
  const list = (architecture: string) => {
    const manifests = [{ ...image(architecture), platform: { architecture, os: 'linux' } }];
    return put(LIST, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: LIST, manifests })));
  };
  const native = list(process.arch === 'x64' ? 'amd64' : process.arch).digest;
  const foreign = list(process.arch === 'arm64' ? 'amd64' : 'arm64').digest;
  const login = { user: 'me', password: 'pass:word' };
  const wanted = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`;

  const server: Server = createServer((request, response) => {
    const [, repo = '', kind = '', ref = ''] =
      /^\/v2\/(?:(.+)\/(manifests|blobs)\/(.+))?$/.exec(request.url ?? '') ?? [];
    const behaviour = repos[repo];
    const answer = (status: number, type: string, bytes: Buffer | string, headers: Record<string, string> = {}) => {
      response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(bytes), ...headers });
      response.end(request.method === 'HEAD' ? undefined : bytes);
    };
    const error = (status: number, code: string, headers = {}) =>
      answer(status, 'application/json', JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] }), headers);
    const challenge = { 'www-authenticate': 'Basic realm="test"' };
    // Whoever sends credentials is asked for them by the base already.
    if (repo === '' && Object.values(repos).includes('wants-login') && request.headers.authorization !== wanted)
      return error(401, 'UNAUTHORIZED', challenge);
    if (repo === '') return answer(200, 'application/json', '{}');
    if (behaviour === undefined) return error(404, kind === 'manifests' ? 'MANIFEST_UNKNOWN' : 'BLOB_UNKNOWN');
    if (behaviour === 'fails') return error(500, 'UNKNOWN');
    if (behaviour === 'wants-login' && request.headers.authorization !== wanted)
      return error(401, 'UNAUTHORIZED', challenge);
    const digest = ref.startsWith('sha256:') ? ref : behaviour === 'only-arm64' ? foreign : native;
    const blob = blobs.get(digest);
    if (blob === undefined) return error(404, 'MANIFEST_UNKNOWN');
    return answer(200, blob.type, blob.bytes, { 'docker-content-digest': digest });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    digest: native,
    ...login,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
