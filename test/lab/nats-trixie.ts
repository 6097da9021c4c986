/**
 * nats-server 2.10 of Debian 13 for contract tests on an older Debian: the package is downloaded from the mirror that
 * the machine itself uses and unpacked into a cache folder; nothing is installed.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Path of the binary; null only when SLIPWAY_SKIP_TRIXIE=1. @throws when it cannot be had. */
export async function natsServerOfTrixie(): Promise<string | null> {
  if (process.env['SLIPWAY_SKIP_TRIXIE'] === '1') return null;
  const cache = join(tmpdir(), 'slipway-test-cache');
  const folder = join(cache, 'nats-server-trixie');
  const binary = join(folder, 'usr/sbin/nats-server');
  if (existsSync(binary)) return binary;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'download-'));
  try {
    await download(work);
    // Several test processes may download at once: the first rename wins, the others use its result.
    await rename(join(work, 'root'), folder).catch((error: unknown) => {
      if (!existsSync(binary)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return binary;
}

async function download(work: string): Promise<void> {
  const { uri, keyring } = await mirror();
  const lists = join(work, 'lists');
  const archives = join(work, 'archives');
  await mkdir(join(lists, 'partial'), { recursive: true });
  await mkdir(join(archives, 'partial'), { recursive: true });
  const source = join(work, 'sources.list');
  await writeFile(source, `deb ${keyring === null ? '' : `[signed-by=${keyring}] `}${uri} trixie main\n`);
  const options = [
    ['Dir::Etc::sourcelist', source],
    ['Dir::Etc::sourceparts', '/dev/null'],
    ['Dir::State::lists', lists],
    ['Dir::Cache', work],
    ['Dir::Cache::archives', archives],
    ['APT::Sandbox::User', 'root'],
  ].flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  await run('apt-get', [...options, 'update'], { cwd: work });
  await run('apt-get', [...options, 'download', 'nats-server'], { cwd: work });
  const deb = (await readdir(work)).find((name) => name.endsWith('.deb'));
  if (deb === undefined) throw new Error('apt-get download gave no nats-server package');
  await run('dpkg-deb', ['-x', join(work, deb), join(work, 'root')]);
}

/** The mirror of the machine's own sources, in either format. */
async function mirror(): Promise<{ uri: string; keyring: string | null }> {
  const folder = '/etc/apt/sources.list.d';
  const names = existsSync(folder) ? await readdir(folder) : [];
  const files = ['/etc/apt/sources.list', ...names.map((name) => join(folder, name))].filter(existsSync);
  for (const text of await Promise.all(files.map((file) => readFile(file, 'utf8')))) {
    const deb822 = /^URIs:\s*(\S+\/debian)\/?\s*$/m.exec(text);
    const line = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+\/debian)\/?\s+\S+\s+main/m.exec(text);
    const uri = deb822?.[1] ?? line?.[1];
    if (uri === undefined) continue;
    const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
    return { uri, keyring: existsSync(keyring) ? keyring : null };
  }
  throw new Error('no Debian mirror in /etc/apt');
}
