/** `slipway deploys`: the attempts, and why some failed. */
import { connect } from '../connect.ts';
import { evidenceLines } from '../evidence.ts';
import { EXIT } from '../exit-codes.ts';
import { printable } from '../output.ts';
import { type CommandContext, numberOption } from '../run-command.ts';
import { unknownNamespace } from './resume.ts';

export async function deploys(context: CommandContext): Promise<number> {
  const [namespace = ''] = context.args;
  const { output } = context;
  await using connection = await connect(context);
  const all = await connection.deploys.list(namespace);
  if (all.length === 0) throw unknownNamespace(namespace, await connection.store.log.namespaces());
  const shown = all.toReversed().slice(0, numberOption(context, 'limit') ?? 20);
  output.result(shown, () => {
    output.table(
      ['DEPLOY', 'STATE', 'STARTED', 'TOOK', 'BY', 'RELEASES', 'WHY'],
      shown.map((it) => [
        it.id,
        it.state,
        it.startedAt,
        it.endedAt === null ? '…' : `${((Date.parse(it.endedAt) - Date.parse(it.startedAt)) / 1000).toFixed(1)} s`,
        it.actor,
        it.releases.map((n) => `#${n}`).join(' '),
        it.failure === null ? '' : `${it.failure.code}: ${it.failure.message.split('\n')[0] ?? ''}`,
      ]),
    );
    const evidence = shown[0]?.failure?.evidence ?? [];
    for (const it of evidence) {
      output.line();
      for (const line of evidenceLines(it)) output.line(printable(line));
    }
  });
  return EXIT.ok;
}
