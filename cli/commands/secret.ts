/** `slipway secret set | rotate | ls | rm`: values go in and never come out. */
import { randomBytes } from 'node:crypto';
import { isoNow } from '../../controller/execute/clock.ts';
import { readSecretFacts } from '../../controller/secrets.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { type Connection, connect } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { type CommandContext, numberOption } from '../run-command.ts';
import { readSecretValue } from '../secret/read-value.ts';
import { rollSecret } from '../secret/roll.ts';
import { type SecretTarget, secretTarget } from '../secret/target.ts';
import { secretUsers, userText } from '../secret/users.ts';

const DEFAULT_BYTES = 32;

export async function set(context: CommandContext): Promise<number> {
  const target = secretTarget(context.args[0] ?? '');
  const value = await readSecretValue(context);
  await using connection = await connect(context);
  return await store(context, connection, target, value);
}

/** A new value that nobody has seen. */
export async function rotate(context: CommandContext): Promise<number> {
  const target = secretTarget(context.args[0] ?? '');
  await using connection = await connect(context);
  const known = await readSecretFacts(connection.store.bucket('secrets'), target.namespace);
  if (!known.some((it) => it.name === target.name)) throw unknownSecret(target, known);
  const bytes = randomBytes(numberOption(context, 'bytes') ?? DEFAULT_BYTES);
  return await store(context, connection, target, Buffer.from(bytes.toString('base64url')));
}

async function store(
  context: CommandContext,
  connection: Connection,
  target: SecretTarget,
  value: Buffer,
): Promise<number> {
  const { output } = context;
  const at = isoNow(connection.clock);
  const { version, changed } = await connection.secrets.set({ ...target, value, by: connection.actor, at });
  const name = `${target.namespace}/${target.name}`;
  if (changed) await tell(connection, target, 'secret.set', `${name} has version ${version}`);
  output.line(changed ? `${name}: version ${version}` : `${name}: unchanged, version ${version}`);
  const result = { ...target, version, changed };
  // Also when it is unchanged: an earlier call may have been cut off before the services had it.
  if (context.options['deploy'] !== false) return await rollSecret(context, connection, target, version, result);
  output.result(result, () => {});
  return EXIT.ok;
}

export async function ls(context: CommandContext): Promise<number> {
  const [namespace] = context.args;
  const { output } = context;
  await using connection = await connect(context);
  const facts = await readSecretFacts(connection.store.bucket('secrets'), namespace);
  const rows = await Promise.all(
    facts.map(async (it) => ({ ...it, usedBy: await secretUsers(connection.store, it.namespace, it.name) })),
  );
  output.result(rows, () => {
    if (rows.length === 0)
      return output.line('no secrets; `slipway secret set NAMESPACE/NAME` reads one from standard input');
    output.table(
      ['SECRET', 'VERSION', 'BYTES', 'SET', 'BY', 'USED BY'],
      rows.map((it) => [
        `${it.namespace}/${it.name}`,
        String(it.version),
        String(it.sizeBytes),
        it.at,
        it.by,
        it.usedBy.map((user) => `${userText(user, it.namespace)} (${user.version})`).join(', '),
      ]),
    );
  });
  return EXIT.ok;
}

export async function rm(context: CommandContext): Promise<number> {
  const target = secretTarget(context.args[0] ?? '');
  const { output } = context;
  await using connection = await connect(context);
  const name = `${target.namespace}/${target.name}`;
  const users = await secretUsers(connection.store, target.namespace, target.name);
  if (users.length > 0) {
    const services = users.map((it) => userText(it, target.namespace)).join(', ');
    throw new SlipwayError('SECRET_IN_USE', `${name} is used by ${services}: deploy them without it first`);
  }
  const at = isoNow(connection.clock);
  if (!(await connection.secrets.remove(target.namespace, target.name, { by: connection.actor, at })))
    throw unknownSecret(target, await readSecretFacts(connection.store.bucket('secrets'), target.namespace));
  await tell(connection, target, 'secret.removed', `${name} is removed`);
  output.result({ ...target, removed: true }, () => output.line(`${name}: removed`));
  return EXIT.ok;
}

async function tell(connection: Connection, { namespace }: SecretTarget, kind: string, message: string): Promise<void> {
  const { store: to, clock, actor } = connection;
  await to.events.publish({ at: isoNow(clock), kind, namespace, deploy: null, machine: null, actor, message });
}

function unknownSecret({ namespace, name }: SecretTarget, known: readonly { readonly name: string }[]): SlipwayError {
  const list = known.length === 0 ? 'it has none' : `it has ${known.map((it) => it.name).join(', ')}`;
  return new SlipwayError('SECRET_MISSING', `${namespace} has no secret ${name}: ${list}`);
}
