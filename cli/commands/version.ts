/** `slipway version`: ours, and what was found on this machine. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { repositoryPath } from '../../store/own-files.ts';
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
  const text = readFileSync(repositoryPath('package.json'), 'utf8');
  const { version: slipway } = JSON.parse(text) as { version: string };
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
