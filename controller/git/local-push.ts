/**
 * A folder as a git server: what `git receive-pack` says, as the answers of a transport. So hooks run, and a branch that
 * is checked out is refused, as for everybody else. The git program is needed for this only.
 */
import { spawn } from 'node:child_process';
import { devNull } from 'node:os';
import type { GitHttp } from './engine.ts';
import { unavailable } from './unavailable.ts';

/** Never asked: only its path parts are looked at. */
export const LOCAL_URL = 'http://folder.invalid';

const MAX_OUTPUT_BYTES = 64 * 2 ** 20;

/** Reaches the repository in `path`. @throws SOURCE_UNAVAILABLE without the git program, or when that fails */
export function localTransport(args: { readonly path: string; readonly signal: AbortSignal }): GitHttp {
  return {
    async request({ url, method = 'GET', body }) {
      const post = method === 'POST';
      const input: Uint8Array[] = [];
      for await (const chunk of body ?? []) input.push(chunk);
      const output = await receivePack(args, post ? [] : ['--advertise-refs'], Buffer.concat(input));
      const service = Buffer.from('001f# service=git-receive-pack\n0000');
      const type = `application/x-git-receive-pack-${post ? 'result' : 'advertisement'}`;
      return {
        url,
        statusCode: 200,
        statusMessage: 'OK',
        headers: { 'content-type': type },
        body: once(post ? output : Buffer.concat([service, output])),
      };
    },
  };
}

async function receivePack(
  args: { readonly path: string; readonly signal: AbortSignal },
  options: readonly string[],
  input: Uint8Array,
): Promise<Uint8Array> {
  const env = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: devNull,
    LC_ALL: 'C',
  };
  // The folder is the one that the operator named, whoever owns it.
  const argv = ['-c', 'safe.directory=*', 'receive-pack', '--stateless-rpc', ...options, '--', args.path];
  const child = spawn('git', argv, { env, signal: args.signal, stdio: ['pipe', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  let size = 0;
  let complaint = '';
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.byteLength;
    if (size <= MAX_OUTPUT_BYTES) output.push(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = `${complaint}${chunk.toString('utf8')}`.slice(0, 2_000);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT';
      reject(missing ? unavailable('To write to a folder the git program is needed: install git', error) : error);
    });
    child.on('close', resolve);
  });
  if (code !== 0) throw unavailable(`git cannot write to ${args.path}`, new Error(complaint));
  return Buffer.concat(output);
}

async function* once(bytes: Uint8Array): AsyncIterableIterator<Uint8Array> {
  yield bytes;
}
