/** How a command is declared: its code is loaded when it is called. */
import type { Command } from 'commander';
import type { CommandContext } from '../run-command.ts';

type Action = (context: CommandContext) => Promise<number>;

/** Adds one command; `load` gives its code. */
export function command(
  parent: Command,
  usage: string,
  description: string,
  examples: readonly string[],
  load: () => Promise<Action>,
): Command {
  return parent
    .command(usage)
    .description(description)
    .addHelpText('after', examples.length === 0 ? '' : `\nExamples:\n${examples.map((it) => `  $ ${it}`).join('\n')}`)
    .option('--json', 'print one JSON envelope instead of text')
    .exitOverride()
    .action(async (...args: unknown[]) => {
      const self = args.at(-1) as Command;
      const { runCommand } = await import('../run-command.ts');
      process.exitCode = await runCommand(self, await load());
    });
}
