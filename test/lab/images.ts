/** Images for tests, built from busybox on this machine; nothing is pulled. */
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * A web server on 8080: `/` answers `<name> <VERSION>`, `/healthz` answers ok unless env HEALTHY is 0. Exits at once on
 * SIGTERM, or with IGNORE_TERM=1 not at all. The version is env VERSION, so one image serves all versions.
 *
 * With something mounted at /data it takes the turn there ten times a second and looks whether it still has it: two
 * writers at once leave /data/violations. (A lock would lie on after SIGKILL, a turn does not.)
 */
export const WEB_IMAGE = 'slipway-test-web:3';

const WEB_START = `
if [ "$EXIT_AT_ONCE" = 1 ]; then echo "giving up on purpose" >&2; exit 3; fi
mkdir -p /www
printf '%s\\n' "web \${VERSION:-0}" > /www/index.html
[ "$HEALTHY" = 0 ] || echo ok > /www/healthz
finish() { kill "$web" 2>/dev/null; exit 0; }
if [ "$IGNORE_TERM" = 1 ]; then trap '' TERM; else trap finish TERM INT; fi
busybox httpd -f -p "\${PORT:-8080}" -h /www &
web="$!"
[ -d /data ] || wait "$web"
me="$(cat /proc/sys/kernel/random/uuid)"
echo "$me" > /data/turn
while kill -0 "$web" 2>/dev/null; do
  sleep 0.1 & wait "$!"
  read -r now < /data/turn
  [ "$now" = "$me" ] || echo "$(cat /proc/uptime): $me sees $now" >> /data/violations
  echo "$me" > /data/turn
done
`;

/** Everything in the web image, for a registry that serves it. */
export async function webImageContent(): Promise<{ tar: Buffer; config: object }> {
  await ensureWebImage();
  const id = (await run('docker', ['create', WEB_IMAGE])).stdout.trim();
  try {
    const options = { encoding: 'buffer', maxBuffer: 64 * 2 ** 20 } as const;
    const { stdout: tar } = await run('docker', ['export', id], options);
    return { tar, config: { Env: ['PATH=/bin'], Entrypoint: ['/bin/sh', '/start'] } };
  } finally {
    await run('docker', ['rm', id]);
  }
}

/** Builds an image of that name unless the engine has it: the one at the socket, the machine's by default. */
export async function ensureWebImage(socketPath?: string): Promise<void> {
  const engine = socketPath === undefined ? [] : ['-H', `unix://${socketPath}`];
  const present = await run('docker', [...engine, 'image', 'inspect', WEB_IMAGE]).then(
    () => true,
    () => false,
  );
  if (present) return;
  const folder = await mkdtemp(join(tmpdir(), 'slipway-image-'));
  try {
    await copyFile('/bin/busybox', join(folder, 'busybox'));
    await writeFile(join(folder, 'start'), WEB_START);
    await writeFile(
      join(folder, 'Dockerfile'),
      'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\nCOPY start /start\nENV PATH=/bin\nENTRYPOINT ["/bin/sh", "/start"]\n',
    );
    await run('docker', [...engine, 'build', '--quiet', '--network', 'none', '--tag', WEB_IMAGE, folder]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
