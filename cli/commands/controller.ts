/** `slipway controller`: the controller alone, for a service manager or a second, standing by. */
import { runController } from '../../controller/main.ts';
import { readTracked } from '../../controller/tracked.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { createTrace } from '../../store/trace.ts';
import { type Connection, connect } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { printable } from '../output.ts';
import { type CommandContext, numberOption } from '../run-command.ts';
import { operatorKey, trustedSigners } from '../up/keys.ts';
import { registerCommand } from '../up/running-commands.ts';

export const DEFAULT_HOOK_PORT = 7420;

export async function controller(context: CommandContext): Promise<number> {
  await using connection = await connect(context);
  await using _ = await registerCommand(context.paths);
  await control(context, connection);
  return EXIT.ok;
}

/** Runs the controller until the command is interrupted. */
export async function control(context: CommandContext, connection: Connection): Promise<void> {
  const tracked = await readTracked(connection.store.bucket('cluster'));
  if (tracked === null) {
    throw new SlipwayError(
      'SOURCE_UNAVAILABLE',
      'no fleet repository is followed yet: `slipway up --repo PATH` names one',
    );
  }
  const secrets = (process.env['SLIPWAY_HOOK_SECRETS'] ?? '').split(',').filter((it) => it !== '');
  const { paths, installation } = connection;
  const signing = { key: await operatorKey(paths), trusted: await trustedSigners(paths, installation.id) };
  await runController(
    {
      ...connection,
      signing,
      machine: connection.installation.machine,
      tracked,
      env: process.env,
      hookPort: numberOption(context, 'hookPort') ?? DEFAULT_HOOK_PORT,
      hookSecrets: secrets,
      trace: createTrace({ env: process.env }),
      say: (text) => context.output.line(printable(text)),
    },
    context.signal,
  );
}
