/** `slipway events`: the audit trail. */

import type { SlipwayEvent } from '../../schemas/event.ts';
import { connect } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { printable } from '../output.ts';
import { type CommandContext, numberOption } from '../run-command.ts';

export async function events(context: CommandContext): Promise<number> {
  const { output, signal } = context;
  await using connection = await connect(context);
  const follow = context.options['follow'] === true;
  const show = (it: SlipwayEvent) => output.item(it, textOf(it));
  const past = await connection.store.events.list(numberOption(context, 'limit') ?? 50);
  if (!follow) {
    output.result(past, () => past.forEach(show));
    return EXIT.ok;
  }
  past.forEach(show);
  await connection.store.events.follow(show, signal);
  if (!signal.aborted)
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  return EXIT.ok;
}

function textOf(it: SlipwayEvent): string {
  const about = [it.namespace, it.machine, it.deploy].filter((part) => part !== null).join(' ');
  return printable(`${it.at}  ${it.kind.padEnd(22)} ${about.padEnd(30)} ${it.message}`);
}
