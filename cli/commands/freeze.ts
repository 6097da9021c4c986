/** `slipway freeze` and `slipway unfreeze`: nothing is deployed for a while, by nobody. */

import { announce } from '../../controller/announce.ts';
import { type Frozen, frozenText, thawCommand } from '../../controller/consent/frozen.ts';
import { untilOf } from '../../controller/consent/until.ts';
import { isoNow } from '../../controller/execute/clock.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { type Connection, connect } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { type Output, printable } from '../output.ts';
import { type CommandContext, textOption } from '../run-command.ts';
import { unknownNamespace } from './resume.ts';

export async function freeze(context: CommandContext): Promise<number> {
  const { output } = context;
  await using connection = await connect(context);
  const scope = await scopeOf(context, connection);
  if (scope === null) {
    const freezes = await connection.freezes.list();
    output.result(freezes, () => printFreezes(output, freezes));
    return EXIT.ok;
  }
  const why = textOption(context, 'reason') ?? '';
  if (why.trim() === '')
    throw new SlipwayError('USAGE', 'say why with --reason: everybody who is refused will read it');
  const { clock, actor } = connection;
  const until = textOption(context, 'until');
  const record = {
    scope,
    by: actor,
    why,
    at: isoNow(clock),
    until: until === undefined ? null : untilOf(until, clock.now()),
  };
  await connection.freezes.set(record);
  const frozen: Frozen = { ...record, readable: true };
  await tell(connection, 'freeze.set', scope, frozenText(frozen));
  const open = scope === '*' ? await connection.deploys.openNamespaces() : await openOf(connection, scope);
  output.result(record, () => {
    output.line(printable(`${frozenText(frozen)}.`));
    if (open.length > 0)
      output.line(`A deploy of ${open.join(', ')} is under way: it ends before it is live, unless it just was.`);
    output.line(`What is live goes on serving; \`${thawCommand(frozen)}\` lifts it.`);
  });
  return EXIT.ok;
}

export async function unfreeze(context: CommandContext): Promise<number> {
  const { output } = context;
  await using connection = await connect(context);
  const scope = await scopeOf(context, connection);
  if (scope === null)
    throw new SlipwayError('USAGE', 'name a namespace, or --all; `slipway freeze` lists what is frozen');
  const lifted = await connection.freezes.lift(scope);
  if (lifted) await tell(connection, 'freeze.lifted', scope, `${scopeText(scope)} is no longer frozen`);
  const still = (await connection.freezes.list()).filter((it) => it.scope === '*' || scope === '*');
  output.result({ scope, lifted, still }, () => {
    output.line(lifted ? `${scopeText(scope)} is no longer frozen.` : `${scopeText(scope)} had no freeze of its own.`);
    if (still.length > 0) output.line('Still in force:');
    for (const it of still) output.line(printable(`  ${frozenText(it)} (\`${thawCommand(it)}\`)`));
  });
  return EXIT.ok;
}

/** The namespace, `*` for all of them, null when nothing was named. @throws USAGE, UNKNOWN_NAMESPACE */
async function scopeOf(context: CommandContext, connection: Connection): Promise<string | null> {
  const [namespace] = context.args;
  const all = context.options['all'] === true;
  if (all && namespace !== undefined) throw new SlipwayError('USAGE', 'either a namespace or --all, not both');
  if (all) return '*';
  if (namespace === undefined) return null;
  const known = new Set([
    ...(await connection.store.log.namespaces()),
    ...(await connection.namespaces.list()).map((it) => it.namespace),
    ...(await connection.freezes.list()).map((it) => it.scope),
  ]);
  // A freeze of a misspelt name would hold nothing.
  if (!known.has(namespace)) throw unknownNamespace(namespace, [...known].filter((it) => it !== '*').toSorted());
  return namespace;
}

async function openOf(connection: Connection, namespace: string): Promise<string[]> {
  return (await connection.deploys.listOpen(namespace)).length === 0 ? [] : [namespace];
}

async function tell(connection: Connection, kind: string, scope: string, message: string): Promise<void> {
  const namespace = scope === '*' ? null : scope;
  await announce(connection, { kind, namespace, actor: connection.actor, message });
}

function scopeText(scope: string): string {
  return scope === '*' ? 'Everything' : scope;
}

function printFreezes(output: Output, freezes: readonly Frozen[]): void {
  if (freezes.length === 0) return output.line('Nothing is frozen.');
  for (const it of freezes) output.line(printable(`${frozenText(it)} (\`${thawCommand(it)}\`)`));
}
