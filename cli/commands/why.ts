/** `slipway why`: on one screen, why a service is not what git says, and what to do next. */

import { openTracked, readTip, readTracked } from '../../controller/tracked.ts';
import { isLive } from '../../controller/why/facts.ts';
import { findingsOf } from '../../controller/why/findings.ts';
import { gatherFacts } from '../../controller/why/gather.ts';
import { whyPage } from '../../controller/why/render.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { type Connection, connect } from '../connect.ts';
import { parseTarget } from '../exec/target.ts';
import { EXIT } from '../exit-codes.ts';
import { printable } from '../output.ts';
import type { CommandContext } from '../run-command.ts';
import { unknownNamespace } from './resume.ts';

const GIT_WITHIN_MS = 10_000;

export async function why(context: CommandContext): Promise<number> {
  const { output } = context;
  const target = parseTarget(context.args[0] ?? '');
  await using connection = await connect(context);
  const facts = await gatherFacts(
    { ...connection, readFleet: async () => await readFleet(connection, context.signal) },
    target.namespace,
    target.service,
  );
  const known = isLive(facts.live) || facts.git.kind === 'new' || facts.open.length > 0 || facts.failure !== null;
  if (!known && facts.live === null && (facts.git.kind === 'elsewhere' || facts.git.kind === 'none'))
    throw unknownNamespace(target.namespace, await connection.store.log.namespaces());
  const findings = findingsOf(facts);
  output.result({ ...facts, findings }, () => {
    const { lines, slots, after } = whyPage(facts, findings);
    lines.forEach((it, i) => output.line(i === 0 ? output.colors.bold(printable(it)) : printable(it)));
    if (slots !== null) output.table(slots.head, slots.rows);
    for (const it of after) output.line(printable(it));
  });
  return EXIT.ok;
}

async function readFleet(connection: Connection, signal: AbortSignal) {
  const tracked = await readTracked(connection.store.bucket('cluster'));
  if (tracked === null) return null;
  const repository = openTracked({ tracked, paths: connection.paths, env: process.env, log: connection.log });
  const limit = AbortSignal.timeout(GIT_WITHIN_MS);
  try {
    return await readTip(repository, AbortSignal.any([signal, limit]));
  } catch (error) {
    if (!limit.aborted || signal.aborted) throw error;
    const message = `${tracked.location} did not answer within ${GIT_WITHIN_MS / 1000} s`;
    throw new SlipwayError('SOURCE_UNAVAILABLE', message, {}, error);
  }
}
