/**
 * `slipway up`: makes the installation, starts state, agent and gateway, then runs the controller until Ctrl-C.
 * Everything but the controller is left running, and adopted by the next `up`.
 */
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createEngine } from '../../agent/docker/engine.ts';
import { systemClock } from '../../controller/execute/clock.ts';
import { readTracked, saveTracked, type Tracked } from '../../controller/tracked.ts';
import { createEmbeddedNats } from '../../store/embedded.ts';
import { refuseHalfRestored } from '../backup/marker.ts';
import { type Connection, connect } from '../connect.ts';
import { dockerSocket } from '../docker-socket.ts';
import { EXIT } from '../exit-codes.ts';
import { type Output, troubleLogger } from '../output.ts';
import { type CommandContext, numberOption, textOption } from '../run-command.ts';
import { type AgentOutcome, createAgentProcess } from '../up/agent-process.ts';
import { announce } from '../up/announce.ts';
import { ensureExampleImages, ensureExampleRepository, sudoUser } from '../up/example.ts';
import { ensureInstallation } from '../up/installation.ts';
import { ensureKeys } from '../up/keys.ts';
import { registerCommand } from '../up/running-commands.ts';
import { waitForMachine } from '../up/wait-for-machine.ts';
import { wishedHttpPort } from '../up/wished-http-port.ts';
import { control } from './controller.ts';

/** What a person should know about the agent that runs from here on. */
const AGENT = {
  started: null,
  adopted: null,
  replaced: 'agent: another build ran; it was replaced by this one, workloads go on',
  kept: 'agent: another build runs under a service manager, and stays; restart that service to run this build',
} as const satisfies Record<AgentOutcome, string | null>;

export async function up(context: CommandContext): Promise<number> {
  const { output, paths } = context;
  const watch = new AbortController();
  const signal = AbortSignal.any([context.signal, watch.signal]);
  const log = troubleLogger(output);
  await refuseHalfRestored(paths);
  const { installation, notes } = await ensureInstallation(paths, {
    natsUrl: textOption(context, 'nats'),
    httpPort: numberOption(context, 'httpPort'),
    wishedHttpPort: async () =>
      await wishedHttpPort({
        repository: textOption(context, 'repo'),
        branch: textOption(context, 'branch'),
        paths,
        log,
        signal,
      }),
    dockerSocket: dockerSocket(process.env),
  });
  output.line(`installation ${installation.id} in ${paths.root}`);
  for (const it of notes) output.line(it);
  await ensureKeys(paths, installation);
  await using _ = await registerCommand(paths);

  const nats = createEmbeddedNats({ dir: paths.nats, log });
  if (installation.natsUrl === null) {
    await nats.start(signal);
    output.line('state: nats-server is ready');
  } else output.line(`state: ${new URL(installation.natsUrl).host}`);

  const agent = createAgentProcess({ paths, clock: systemClock, log });
  const outcome = await agent.ensure();
  if (AGENT[outcome] !== null) output.line(AGENT[outcome]);
  const watching = agent.supervise(signal);
  try {
    return await follow(context, installation.machine, signal);
  } finally {
    // Also after a failure: what was started goes on, and nobody keeps this process to watch it.
    watch.abort();
    await watching;
  }
}

async function follow(context: CommandContext, machine: string, signal: AbortSignal): Promise<number> {
  const { output } = context;
  await using connection = await connect(context);
  await waitForMachine(connection, signal);
  output.line(`agent: ${machine} is ready`);
  const example = await followSomething(context, connection, output);
  if (context.options['detach'] === true) {
    const tracked = await readTracked(connection.store.bucket('cluster'));
    output.result({ installation: connection.installation, tracked }, () =>
      output.line('detached: `slipway controller` follows the fleet repository, `slipway down` stops everything'),
    );
    return EXIT.ok;
  }
  const announcing = announce({ connection, output, signal, example });
  await control(context, connection);
  await announcing;
  output.line('controller stopped; workloads, gateway, resolver and state go on (`slipway down` stops them)');
  return EXIT.ok;
}

/** Which repository to follow: the one that is named, the one followed before, else the example, made here. */
async function followSomething(context: CommandContext, connection: Connection, output: Output): Promise<boolean> {
  const cluster = connection.store.bucket('cluster');
  const before = await readTracked(cluster);
  const named = textOption(context, 'repo');
  const branch = textOption(context, 'branch') ?? before?.branch ?? 'main';
  const save = async (tracked: Tracked) => {
    if (tracked.location !== before?.location || tracked.branch !== before.branch) await saveTracked(cluster, tracked);
  };
  if (named !== undefined) {
    await save({
      location: named.startsWith('https://') || named.startsWith('http://') ? named : resolve(named),
      branch,
    });
    return false;
  }
  const { fleet } = connection.paths;
  if (before !== null && before.location !== fleet) {
    await save({ ...before, branch });
    return false;
  }
  if (context.options['detach'] === true) return false;
  await mkdir(fleet, { recursive: true });
  await ensureExampleRepository(fleet, sudoUser(process.env));
  output.line('example image: building (nothing is pulled)');
  await ensureExampleImages(createEngine({ socketPath: connection.installation.dockerSocket }));
  await save({ location: fleet, branch });
  return true;
}
