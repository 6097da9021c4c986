/**
 * Builds the images of the tutorial from programs of this machine; nothing is pulled. The same files give the same
 * image, so running it again changes nothing.
 *
 *   tutorial-shop:1, :2   Node and app/; version 2 brings one more migration
 *   tutorial-redis:7      Redis, its command line and a shell
 *   tutorial-site:1, :2   busybox httpd and site/
 */
import { execFile } from 'node:child_process';
import { access, chmod, copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const HERE = dirname(fileURLToPath(import.meta.url));

const BUSYBOX = '/bin/busybox';
/**
 * Debian's package redis-server only adds a service to this program, which is a server when it is called
 * `redis-server`. Without the package no server starts on the machine itself.
 */
const REDIS = '/usr/bin/redis-check-rdb';

/** What has to be on the machine, and the package of Debian and Ubuntu that brings it. */
const NEEDED = { [BUSYBOX]: 'busybox-static', [REDIS]: 'redis-tools', '/usr/bin/redis-cli': 'redis-tools' };

/** Names are looked up by DNS; the C library wants to be told. */
const NSSWITCH = 'hosts: files dns\n';
const SHELL = ['COPY root /', 'RUN ["/bin/busybox", "--install", "-s", "/bin"]', 'ENV PATH=/bin'];

/** @typedef {{ tag: string, dockerfile: readonly string[], fill: (root: string) => Promise<void> }} Image */

/** @param {string} version @returns {Image} */
function shop(version) {
  return {
    tag: `tutorial-shop:${version}`,
    dockerfile: ['COPY root /', `ENV PATH=/bin VERSION=${version}`, 'WORKDIR /app', 'CMD ["node", "web.mjs"]'],
    fill: async (root) => {
      await cp(join(HERE, 'app'), join(root, 'app'), { recursive: true });
      if (version === '1') await rm(join(root, 'app/migrations/002-prices.mjs'));
      await addProgram(root, process.execPath, 'bin/node');
      await addText(root, 'etc/nsswitch.conf', NSSWITCH);
    },
  };
}

/** @type {Image} */
const redis = {
  tag: 'tutorial-redis:7',
  dockerfile: [...SHELL, 'ENTRYPOINT ["sh", "/start"]'],
  fill: async (root) => {
    await addProgram(root, BUSYBOX, 'bin/busybox');
    await addProgram(root, REDIS, 'bin/redis-server');
    await addProgram(root, '/usr/bin/redis-cli', 'bin/redis-cli');
    await addText(root, 'etc/redis.conf', await readFile(join(HERE, 'database/redis.conf'), 'utf8'));
    await copyFile(join(HERE, 'database/start'), join(root, 'start'));
    await mkdir(join(root, 'data'));
  },
};

/** @param {string} version @returns {Image} */
function site(version) {
  return {
    tag: `tutorial-site:${version}`,
    dockerfile: [...SHELL, 'ENTRYPOINT ["sh", "/start"]'],
    fill: async (root) => {
      await addProgram(root, BUSYBOX, 'bin/busybox');
      const page = await readFile(join(HERE, 'site/index.html'), 'utf8');
      await addText(root, 'www/index.html', version === '1' ? page : page.replace('9 to 18', '8 to 20'));
      await copyFile(join(HERE, 'site/start'), join(root, 'start'));
    },
  };
}

/** Copies a program with the libraries that it is linked to. @param {string} root @param {string} program @param {string} target */
async function addProgram(root, program, target) {
  await mkdir(dirname(join(root, target)), { recursive: true });
  await copyFile(program, join(root, target));
  await chmod(join(root, target), 0o755);
  // ldd fails for a program that is linked statically.
  const { stdout } = await run('ldd', [program]).catch(() => ({ stdout: '' }));
  for (const [, library = ''] of stdout.matchAll(/(\/\S+) \(0x/g)) {
    await mkdir(dirname(join(root, library)), { recursive: true });
    await copyFile(library, join(root, library));
  }
}

/** @param {string} root @param {string} target @param {string} text */
async function addText(root, target, text) {
  await mkdir(dirname(join(root, target)), { recursive: true });
  await writeFile(join(root, target), text);
}

/** @param {Image} image */
async function build({ tag, dockerfile, fill }) {
  const folder = await mkdtemp(join(tmpdir(), 'tutorial-image-'));
  try {
    const root = join(folder, 'root');
    await mkdir(root, { mode: 0o755 });
    await fill(root);
    await writeFile(join(folder, 'Dockerfile'), `${['FROM scratch', ...dockerfile].join('\n')}\n`);
    await run('docker', ['build', '--quiet', '--tag', tag, '--', folder]);
    process.stdout.write(`${tag}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @param {string} what @param {string} packageName @returns {never} */
function missing(what, packageName) {
  process.stderr.write(`${what} is missing: apt-get install --no-install-recommends ${packageName}\n`);
  process.exit(1);
}

for (const [program, packageName] of Object.entries(NEEDED)) {
  await access(program).catch(() => missing(program, packageName));
}
await run('docker', ['version']).catch((error) => {
  if (error.code === 'ENOENT') missing('the command docker', 'docker-cli (before Debian 13: docker.io)');
  process.stderr.write(`Docker does not answer: ${error.stderr}`);
  process.exit(1);
});
for (const it of [shop('1'), shop('2'), redis, site('1'), site('2')]) await build(it);
