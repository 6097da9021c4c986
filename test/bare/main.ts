/** The bare-host proof: Slipway's two commands on a machine that has nothing but git and Node. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cloneInto } from './clone.ts';
import { startBareHost } from './host.ts';
import { readRegistries } from './registries.ts';
import { rootfsArchive } from './rootfs.ts';
import { proveStart } from './start-proof.ts';
import { proveTests } from './test-proof.ts';
import { proveTutorial } from './tutorial-proof.ts';

const { values } = parseArgs({
  options: { test: { type: 'boolean', default: false }, tutorial: { type: 'boolean', default: false } },
});
const prove = values.test ? proveTests : values.tutorial ? proveTutorial : proveStart;
const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupt.abort());
const { signal } = interrupt;

const start = performance.now();
const shown = (what: string) => {
  process.stdout.write(`\n✓ ${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${what}\n`);
};

const codename = /^VERSION_CODENAME=(\w+)/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? 'bookworm';
const registries = await readRegistries(codename, signal);
const archive = await rootfsArchive(registries, signal);
shown(`file system of a fresh ${codename}: ${archive}`);
const host = await startBareHost({ archive, registries, signal });
try {
  await cloneInto(host, fileURLToPath(new URL('../../', import.meta.url)), signal);
  shown('bare host with a fresh clone');
  await prove({ host, signal, shown });
  process.stdout.write('\nbare host: all shown\n');
} catch (error) {
  process.stdout.write(`\nbare host: FAILED\n${error instanceof Error ? (error.stack ?? error.message) : 'unknown'}\n`);
  process.exitCode = 1;
} finally {
  await host.remove();
}
