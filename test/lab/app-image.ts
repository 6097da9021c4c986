/**
 * Image of the application that load tests deploy (app/server.mjs): the running Node with the libraries it is linked to,
 * and `ws`, from scratch. Nothing is pulled.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SERVER = fileURLToPath(new URL('app/server.mjs', import.meta.url));
const DOCKERFILE = `FROM scratch
COPY root /
ENTRYPOINT ["/node", "/app/server.mjs"]
`;

/** Builds the image unless the engine has one of the same content; gives its name. */
export async function ensureAppImage(): Promise<string> {
  const script = await readFile(SERVER);
  const wsFolder = dirname(createRequire(import.meta.url).resolve('ws/package.json'));
  const content = [script, DOCKERFILE, process.version, await readFile(join(wsFolder, 'package.json'))];
  const digest = createHash('sha256').update(content.join('\0')).digest('hex').slice(0, 12);
  const name = `slipway-test-app:${digest}`;
  const present = await run('docker', ['image', 'inspect', name]).then(
    () => true,
    () => false,
  );
  if (!present) await build(name, wsFolder);
  return name;
}

async function build(name: string, wsFolder: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-app-image-'));
  try {
    const root = join(folder, 'root');
    await mkdir(join(root, 'app'), { recursive: true });
    await copyFile(process.execPath, join(root, 'node'));
    await copyFile(SERVER, join(root, 'app/server.mjs'));
    await cp(wsFolder, join(root, 'app/node_modules/ws'), { recursive: true });
    for (const library of await librariesOf(process.execPath)) {
      await mkdir(join(root, dirname(library)), { recursive: true });
      await copyFile(library, join(root, library));
    }
    await writeFile(join(folder, 'Dockerfile'), DOCKERFILE);
    await run('docker', ['build', '--quiet', '--tag', name, folder]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Paths of the shared libraries of a program, its loader among them. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await run('ldd', [program]);
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map((it) => it[1] ?? '');
}
