/**
 * `slipway exec`: a command in one instance, through NATS and the agent of its machine; no controller is needed. Its exit
 * code is ours; ours alone are 1 and 64, with a line on standard error, and 130 after Ctrl-C.
 */
import { randomUUID } from 'node:crypto';
import { isoNow } from '../../controller/execute/clock.ts';
import { readSnapshots } from '../../controller/execute/situation.ts';
import { slotViews } from '../../controller/slots.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { connect } from '../connect.ts';
import { converse } from '../exec/conversation.ts';
import { chooseInstance, parseTarget } from '../exec/target.ts';
import { openEnds } from '../exec/terminal.ts';
import { type CommandContext, NOBODY_READS, textOption } from '../run-command.ts';
import { unknownNamespace } from './resume.ts';

/** As a shell has it: 128 and the number of the signal. */
const INTERRUPTED = 130;
const BROKEN_PIPE = 141;
/** The order travels in one message. */
const MAX_ORDER_BYTES = 512 * 1024;

export async function exec(context: CommandContext): Promise<number> {
  const { options, output, signal } = context;
  const [text = '', ...argv] = context.args;
  const target = parseTarget(text);
  const stdin = options['stdin'] === true;
  const tty = options['tty'] === true;
  const env = variables(options['env'], tty);
  check({ argv, stdin, tty, json: output.json, text });
  await using connection = await connect(context);
  const { store, installation, clock, actor } = connection;
  const release = await store.log.live(target.namespace);
  if (release === null) throw unknownNamespace(target.namespace, await store.log.namespaces());
  const instance = chooseInstance(target, slotViews(release, await readSnapshots(store)));
  const ends = openEnds({ stdin, tty });
  try {
    const exitCode = await converse({
      messages: store.messages,
      sign: connection.signExec,
      clock,
      order: {
        installation: installation.id,
        machine: instance.machine,
        id: randomUUID(),
        at: isoNow(clock),
        actor,
        namespace: target.namespace,
        slot: instance.slot,
        deploy: instance.deploy,
        argv,
        env,
        user: textOption(context, 'user') ?? null,
        stdin,
        terminal: ends.terminal,
        inbox: ['inbox', randomUUID()],
      },
      write: output.json
        ? async (stream, bytes) => output.item({ stream, base64: bytes.toString('base64') }, '')
        : ends.write,
      input: ends.input,
      onResize: ends.onResize,
      signal,
    });
    if (exitCode === null) return signal.aborted && signal.reason !== NOBODY_READS ? INTERRUPTED : BROKEN_PIPE;
    if (output.json) output.item({ exitCode }, '');
    return exitCode;
  } finally {
    ends.restore();
  }
}

function check(it: { argv: readonly string[]; stdin: boolean; tty: boolean; json: boolean; text: string }): void {
  const usage = (message: string) => new SlipwayError('USAGE', message);
  if (it.argv.length === 0) throw usage(`no command was given: \`slipway exec ${it.text} -- COMMAND\``);
  if (it.tty && it.json) throw usage('a terminal and --json do not go together: leave out -t');
  if (it.tty && !(process.stdout.isTTY && (!it.stdin || process.stdin.isTTY)))
    throw usage('-t wants a terminal, and there is none here: leave out -t');
  if (Buffer.byteLength(it.argv.join('')) > MAX_ORDER_BYTES)
    throw usage('the command is too long: pass what is long on standard input, with -i');
}

function variables(given: unknown, tty: boolean): string[] {
  const env = (given as readonly string[] | undefined) ?? [];
  for (const it of env) {
    if (!/^[^=\0]+=/.test(it)) throw new SlipwayError('USAGE', `-e ${it} is not NAME=VALUE`);
  }
  const term = process.env['TERM'];
  const has = env.some((it) => it.startsWith('TERM='));
  return tty && term !== undefined && !has ? [`TERM=${term}`, ...env] : [...env];
}
