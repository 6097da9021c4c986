/** `slipway version`: ours, and what was found on this machine. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { slipwayVersion } from '../../store/build.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../run-command.ts';

const PROGRAMS: Record<string, readonly string[]> = {
  'nats-server': ['nats-server', '--version'],
  docker: ['docker', 'version', '--format', '{{.Server.Version}}'],
  haproxy: ['haproxy', '-v'],
  nft: ['nft', '--version'],
  git: ['git', '--version'],
};

export async function version(context: CommandContext): Promise<number> {
  const { output } = context;
  const slipway = await slipwayVersion();
  const found = await Promise.all(
    Object.entries(PROGRAMS).map(async ([name, argv]) => [name, await ask(argv)] as const),
  );
  const versions = { slipway, node: process.versions.node, ...Object.fromEntries(found) };
  output.result(versions, () => {
    for (const [name, value] of Object.entries(versions)) output.line(`${name.padEnd(12)} ${value ?? 'not found'}`);
  });
  return EXIT.ok;
}

async function ask([program = '', ...argv]: readonly string[]): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(program, argv, { timeout: 5_000 });
    return (stdout.split('\n')[0] ?? '').trim();
  } catch {
    return null;
  }
}
