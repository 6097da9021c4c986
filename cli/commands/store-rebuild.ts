/** `slipway store rebuild`: when NATS has lost its state, the log comes back from git and from what agents remember. */
import { resolve } from 'node:path';
import { isoNow } from '../../controller/execute/clock.ts';
import { askKnown } from '../../controller/rebuild/ask-known.ts';
import { type Rebuilt, rebuild } from '../../controller/rebuild/rebuild.ts';
import { openTracked } from '../../controller/tracked.ts';
import { isSlipwayError, SlipwayError } from '../../schemas/errors.ts';
import type { Known } from '../../schemas/known.ts';
import { Machine } from '../../schemas/observed.ts';
import { type Connection, connect } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { type Output, printable } from '../output.ts';
import { type CommandContext, textOption } from '../run-command.ts';
import { trustedSigners } from '../up/keys.ts';

export async function storeRebuild(context: CommandContext): Promise<number> {
  const { output, signal } = context;
  const named = textOption(context, 'repo');
  if (named === undefined)
    throw new SlipwayError('USAGE', 'which repository was followed is lost too: --repo names its path or https URL');
  await using connection = await connect(context);
  const { store, paths, installation, log, clock, actor } = connection;
  const leader = await connection.controller();
  if (leader !== null)
    throw new SlipwayError('SETUP_FAILED', `a controller runs (${leader}): stop it first; agents and workloads go on`);
  const location = /^https?:\/\//.test(named) ? named : resolve(named);
  const tracked = { location, branch: textOption(context, 'branch') ?? 'main' };
  const repository = openTracked({ tracked, paths, env: process.env, log });
  const known = context.options['withoutAgents'] === true ? [] : await askAll(connection);
  const rebuilt = await rebuild(
    {
      store,
      repository,
      workshop: repository,
      trusted: await trustedSigners(paths, installation.id),
      tracked,
      installation: installation.id,
      actor,
      known,
      at: isoNow(clock),
      note: (text) => output.note(text),
    },
    signal,
  );
  const machines = known.map((it) => it.machine);
  output.result({ repository: repository.name, machines, ...rebuilt, frozen: true }, () =>
    print(output, repository.name, machines, rebuilt),
  );
  return EXIT.ok;
}

/** What every machine still knows. @throws MACHINE_UNREACHABLE */
async function askAll({ store, installation }: Connection): Promise<Known[]> {
  const registered = (await store.bucket('machines').list()).map((it) => Machine.parse(it.value).name);
  const machines = [...new Set([installation.machine, ...registered])].toSorted();
  const answers: Known[] = [];
  for (const machine of machines) {
    try {
      answers.push(await askKnown(store.messages, machine));
    } catch (error) {
      if (!isSlipwayError(error, 'MACHINE_UNREACHABLE')) throw error;
      const next = `start its agent (\`slipway up --detach\`), or rebuild \`--without-agents\`, from git alone`;
      throw new SlipwayError(
        'MACHINE_UNREACHABLE',
        `the agent of ${machine} does not answer, and may know releases that git does not: ${next}`,
        {},
        error,
      );
    }
  }
  return answers;
}

function print(output: Output, repository: string, machines: readonly string[], it: Rebuilt): void {
  output.line(
    `the state is rebuilt from ${repository} and ${machines.length === 0 ? 'no machine' : machines.join(', ')}`,
  );
  output.table(
    ['NAMESPACE', 'LIVE', 'FROM', 'LOG ENTRIES', 'LOST'],
    it.namespaces.map(({ namespace, live, entries, lost }) => [
      namespace,
      live === null ? 'nothing' : `#${live.n}`,
      live === null ? '' : live.from,
      String(entries.length),
      lost.map((n) => `#${n}`).join(' '),
    ]),
  );
  for (const { ref, revision, why } of it.foreign)
    output.line(`not believed: ${printable(ref)} at ${revision.slice(0, 10)}: ${why}`);
  for (const text of [...it.damaged, ...it.namespaces.flatMap(({ refused }) => refused)])
    output.line(`not believed: ${printable(text)}`);
  output.line('lost, because neither git nor agents keep it:');
  if (it.namespaces.some(({ lost }) => lost.length > 0))
    output.line(
      '  the log entries above: failed deploys, or releases that were replaced; jobs among them may run again',
    );
  output.line('  records of deploys, events, consents, freezes, who held what and why');
  if (it.secrets.length > 0) {
    output.line('  values of secrets; what runs keeps them, what is deployed next needs them:');
    for (const { namespace, name } of it.secrets) output.line(`    slipway secret set ${namespace}/${name}`);
  }
  if (it.held.length > 0)
    output.line(`held, because what is live there was done by hand: ${it.held.join(', ')} (\`slipway resume\`)`);
  output.line('everything is frozen: nothing is deployed until `slipway unfreeze --all`');
  output.line('next:');
  output.line('  slipway status          # is that what you expect?');
  output.line('  slipway unfreeze --all; slipway up');
}
