/** What the numbers were measured on: hardware, kernel, versions, and how busy the machine was before. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Each program's way to say its version, and where it is in the answer. */
const VERSIONS: readonly { readonly name: string; readonly argv: readonly [string, ...string[]] }[] = [
  { name: 'Docker', argv: ['docker', 'version', '--format', '{{.Server.Version}}'] },
  { name: 'docker-compose', argv: ['docker-compose', 'version', '--short'] },
  { name: 'nats-server', argv: ['nats-server', '--version'] },
  { name: 'HAProxy', argv: ['haproxy', '-v'] },
  { name: 'git', argv: ['git', '--version'] },
];

/** One sentence. */
export async function machineFacts(): Promise<string> {
  const versions = await Promise.all(VERSIONS.map(async ({ name, argv }) => `${name} ${await versionOf(argv)}`));
  const [cpu] = cpus();
  const memoryGib = (totalmem() / 2 ** 30).toFixed(1);
  const driver = await textOf(['docker', 'info', '--format', '{{.Driver}}']);
  const system = await systemName();
  const hardware = `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${memoryGib} GiB of memory`;
  const load = (loadavg()[0] ?? 0).toFixed(2);
  return (
    `Measured on ${hardware}, ${system}, Linux ${release()}; Node.js ${process.versions.node}, ` +
    `${versions.join(', ')}, storage driver ${driver}. Load of the machine when the run began (1 min): ${load}.`
  );
}

async function versionOf(argv: readonly [string, ...string[]]): Promise<string> {
  return /\d+\.\d+[\w.+-]*/.exec(await textOf(argv))?.[0] ?? 'not found';
}

async function textOf([program, ...args]: readonly [string, ...string[]]): Promise<string> {
  return await run(program, [...args]).then(
    ({ stdout }) => stdout.trim(),
    () => 'not found',
  );
}

/** Source: os-release(5). */
async function systemName(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^PRETTY_NAME="?([^"\n]+)/m.exec(text)?.[1] ?? 'unknown system';
}
