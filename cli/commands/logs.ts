/** `slipway logs`: lines of the instances of a service, from every machine that has one. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { readSnapshots } from '../../controller/execute/situation.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { connect } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { printable } from '../output.ts';
import { type CommandContext, numberOption } from '../run-command.ts';
import { unknownNamespace } from './resume.ts';

const RENEW_MS = 10_000;
const ANSWER_MS = 5_000;

const Answer = z.object({ slots: z.array(z.string()).optional(), error: z.object({ message: z.string() }).optional() });
const Piece = z.union([
  z.object({ lines: z.array(z.object({ slot: z.string(), stream: z.string(), at: z.string(), line: z.string() })) }),
  z.object({ end: z.unknown() }),
]);

export async function logs(context: CommandContext): Promise<number> {
  const [target = ''] = context.args;
  const [namespace = '', service = '', ...rest] = target.split('/');
  if (namespace === '' || service === '' || rest.length > 0) {
    throw new SlipwayError(
      'USAGE',
      `${target} is not NAMESPACE/SERVICE, like production/web (or production/web.0 for one slot)`,
    );
  }
  await using connection = await connect(context);
  const { store, clock } = connection;
  if ((await store.log.tip(namespace)) === 0) throw unknownNamespace(namespace, await store.log.namespaces());
  const machines = (await readSnapshots(store)).map((it) => it.machine);
  const follow = context.options['follow'] === true;
  const of = service.includes('.') ? { slot: service } : { service };
  let ended = 0;
  let seen = false;
  const over = new AbortController();
  const signal = AbortSignal.any([context.signal, over.signal]);

  const streams = machines.map((machine) => {
    const inbox = ['inbox', randomUUID()];
    const request = { namespace, ...of, tail: numberOption(context, 'tail') ?? 50, follow, inbox };
    store.messages.subscribe(
      inbox,
      (payload) => {
        const piece = Piece.safeParse(payload);
        if (!piece.success) return;
        if ('lines' in piece.data) {
          for (const it of piece.data.lines) context.output.item(it, printable(`${it.slot}  ${it.line}`));
        } else if (++ended === machines.length) over.abort();
      },
      signal,
    );
    return async () => {
      const answer = Answer.parse(await store.messages.request(['agent', machine, 'logs'], request, ANSWER_MS));
      if (answer.error !== undefined) throw new SlipwayError('USAGE', answer.error.message);
      if ((answer.slots ?? []).length > 0) seen = true;
      else if (++ended === machines.length) over.abort();
    };
  });
  await Promise.all(streams.map((it) => it()));
  if (!seen) throw new SlipwayError('UNKNOWN_NAMESPACE', `nothing of ${target} runs on a machine that reports`);
  while (!signal.aborted) {
    await clock.sleep(RENEW_MS, signal).catch(() => undefined);
    if (!signal.aborted) await Promise.all(streams.map((it) => it()));
  }
  return EXIT.ok;
}
