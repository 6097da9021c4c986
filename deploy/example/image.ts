/** The tiny example image, made on this machine: busybox and one page that says which version answers. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Port that the example listens on: `/` is the page, `/healthz` answers 200. */
const EXAMPLE_PORT = 8080;

/** Versions of the example that are made: `slipway-example:1` and the one to try an update with. */
export const EXAMPLE_VERSIONS = ['1', '2'] as const;
export type ExampleVersion = (typeof EXAMPLE_VERSIONS)[number];

/** The image's name as manifests write it; its page says exactly this. */
export function exampleTag(version: ExampleVersion): `slipway-example:${ExampleVersion}` {
  return `slipway-example:${version}`;
}

/** The recipe; FROM scratch, so nothing is pulled. */
export function exampleDockerfile(version: ExampleVersion): string {
  return `FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
COPY start /start
ENV PATH=/bin VERSION=${version}
EXPOSE ${EXAMPLE_PORT}
ENTRYPOINT ["/bin/sh", "/start"]
`;
}

/**
 * What the container runs. The kernel hides SIGTERM from a process 1 that has no handler for it, and busybox httpd has
 * none: each stop would last until SIGKILL. So a shell is process 1.
 */
const START_SCRIPT = `trap 'kill "$!"; exit 0' TERM INT
mkdir -p /www
greeting=$(printf '%s' "\${GREETING:-Hello}" | sed 's/&/\\&amp;/g; s/</\\&lt;/g')
cat > /www/index.html <<PAGE
<!doctype html>
<meta charset="utf-8">
<title>slipway-example:$VERSION</title>
<h1>slipway-example:$VERSION</h1>
<p>$greeting from container $(hostname).</p>
PAGE
echo ok > /www/healthz
httpd -f -p ${EXAMPLE_PORT} -h /www &
wait "$!"
`;

/**
 * Writes what the engine's build needs into the folder; gives dockerode's first argument of buildImage.
 *
 * The same version always gives the same files, so building again is answered from the engine's cache.
 *
 * @param example.folder made when it is not there
 * @param example.busyboxPath a statically linked busybox, /bin/busybox of Debian's busybox-static
 */
export async function writeExampleContext(example: {
  folder: string;
  version: ExampleVersion;
  busyboxPath: string;
}): Promise<{ context: string; src: string[] }> {
  await mkdir(example.folder, { recursive: true });
  await copyFile(example.busyboxPath, join(example.folder, 'busybox'));
  await writeFile(join(example.folder, 'Dockerfile'), exampleDockerfile(example.version));
  await writeFile(join(example.folder, 'start'), START_SCRIPT);
  return { context: example.folder, src: ['Dockerfile', 'busybox', 'start'] };
}
