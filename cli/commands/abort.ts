/** `slipway abort`: the executor that holds the lease stops before its commit point. */

import { isoNow } from '../../controller/execute/clock.ts';
import { connect } from '../connect.ts';
import { OPEN_STATES } from '../deploy-states.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../run-command.ts';

const WAIT_MS = 30_000;

export async function abort(context: CommandContext): Promise<number> {
  const [namespace = ''] = context.args;
  const { output, signal } = context;
  await using connection = await connect(context);
  const { clock, deploys, store } = connection;
  const [open] = await deploys.listOpen(namespace);
  if (open === undefined) {
    output.result({ namespace, aborted: null }, () => output.line(`${namespace}: no deploy is under way`));
    return EXIT.ok;
  }
  await store
    .bucket('intents')
    .put([namespace], { kind: 'abort', deploy: open.id, by: connection.actor, at: isoNow(clock) });
  const until = clock.now() + WAIT_MS;
  let now = await deploys.get(namespace, open.id);
  while (now !== null && OPEN_STATES.has(now.state) && clock.now() < until) {
    // Nobody holds the lease: its executor is gone, and recovery voids the deploy.
    await connection.executor.recover(namespace, connection.actor, signal);
    await clock.sleep(200, signal);
    now = await deploys.get(namespace, open.id);
  }
  const state = now?.state ?? 'unknown';
  output.result({ namespace, deploy: open.id, state }, () =>
    output.line(`${namespace}: deploy ${open.id} is ${state}`),
  );
  return state === 'done' || OPEN_STATES.has(state) ? EXIT.failed : EXIT.ok;
}
