/** `slipway version`: ours, and what was found on this machine. */
import { ownVersions } from '../../store/own-files.ts';
import { EXIT } from '../exit-codes.ts';
import { firstLineOf } from '../program-output.ts';
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
  const { slipway } = ownVersions();
  const found = await Promise.all(
    Object.entries(PROGRAMS).map(async ([name, argv]) => [name, await firstLineOf(argv)] as const),
  );
  const versions = { slipway, node: process.versions.node, ...Object.fromEntries(found) };
  output.result(versions, () => {
    for (const [name, value] of Object.entries(versions)) output.line(`${name.padEnd(12)} ${value ?? 'not found'}`);
  });
  return EXIT.ok;
}
