/** `slipway releases`: the history of a namespace, from its log. */

import type { LogEntry } from '../../schemas/release.ts';
import { connect } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { type CommandContext, numberOption } from '../run-command.ts';
import { releasesInGit } from './releases-in-git.ts';
import { unknownNamespace } from './resume.ts';

export async function releases(context: CommandContext): Promise<number> {
  const [namespace = ''] = context.args;
  const { output } = context;
  await using connection = await connect(context);
  if (context.options['git'] === true) return await releasesInGit(context, connection, namespace);
  const { log } = connection.store;
  const tip = await log.tip(namespace);
  if (tip === 0) throw unknownNamespace(namespace, await log.namespaces());
  const limit = numberOption(context, 'limit') ?? 20;
  const entries = (await log.entries(namespace, { from: Math.max(1, tip - limit + 1) })).toReversed();
  const live = await log.live(namespace);
  output.result({ namespace, live: live?.n ?? null, entries }, () =>
    output.table(
      ['', 'N', 'KIND', 'AT', 'BY', 'WHAT'],
      entries.map((it) => [it.n === live?.n ? '*' : '', `#${it.n}`, kindOf(it), it.at, it.actor, whatOf(it)]),
    ),
  );
  return EXIT.ok;
}

function kindOf(entry: LogEntry): string {
  return entry.kind === 'release' && !entry.final ? 'checkpoint' : entry.kind;
}

function whatOf(entry: LogEntry): string {
  switch (entry.kind) {
    case 'release': {
      const back = entry.lineage.rollbackTo === null ? '' : ` back to #${entry.lineage.rollbackTo}`;
      const from = entry.source.revision === null ? 'by hand' : `from ${entry.source.revision.slice(0, 10)}`;
      return `${Object.keys(entry.services).length} services ${from}${back}`;
    }
    case 'void':
      return entry.reason;
    case 'job':
      return `${entry.service} ended with ${entry.exitCode}`;
    case 'removed':
      return entry.volumes.length === 0 ? 'removed' : `removed; ${entry.volumes.length} volumes stay`;
  }
}
