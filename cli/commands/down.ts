/** `slipway down`: ends what this installation runs, and nothing else; `--purge` removes all it ever made. */
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createNames } from '../../agent/dns/names.ts';
import { createEngine } from '../../agent/docker/engine.ts';
import { createGateway } from '../../agent/gateway/gateway.ts';
import { LABEL } from '../../agent/identity.ts';
import { openImageHistory } from '../../agent/image-history.ts';
import { createNetwork } from '../../agent/network/network.ts';
import { removeSecretFiles } from '../../agent/secrets/files.ts';
import { createDirDriver } from '../../agent/volume/dir-driver.ts';
import { systemClock } from '../../controller/execute/clock.ts';
import { EXAMPLE_VERSIONS, exampleTag } from '../../deploy/example/image.ts';
import { type Installation, type StatePaths } from '../../schemas/installation.ts';
import { silentLogger } from '../../schemas/logger.ts';
import { createEmbeddedNats } from '../../store/embedded.ts';
import { EXIT } from '../exit-codes.ts';
import type { CommandContext } from '../run-command.ts';
import { readInstallation } from '../state-dir.ts';
import { createAgentProcess } from '../up/agent-process.ts';
import { stopCommands } from '../up/running-commands.ts';

const STOP_GRACE_MS = 10_000;

export async function down(context: CommandContext): Promise<number> {
  const { output, paths } = context;
  if (!existsSync(paths.installation)) {
    output.result({ installation: null, purged: false, done: [] }, () =>
      output.line(`there is no Slipway installation in ${paths.root}: nothing to take down`),
    );
    return EXIT.ok;
  }
  const installation = readInstallation(paths);
  const purge = context.options['purge'] === true;
  const done: string[] = [];
  const said = (text: string) => {
    done.push(text);
    output.line(text);
  };
  const controllers = await stopCommands(paths, systemClock);
  if (controllers > 0) said(`${controllers === 1 ? 'controller' : `${controllers} controllers`} stopped`);
  // Then the agent: it would start again what is ended after it.
  await createAgentProcess({ paths, clock: systemClock, log: silentLogger }).stop();
  said('agent stopped');
  await stopParts(installation, paths, said);
  await createEmbeddedNats({ dir: paths.nats, log: silentLogger }).stop();
  said('nats-server stopped');
  if (purge) await removeState(installation, paths, said);
  output.result({ installation: installation.id, purged: purge, done }, () => {
    if (!purge) output.line(`volumes, state and keys stay in ${paths.root}; \`slipway up\` starts everything again`);
  });
  return EXIT.ok;
}

async function stopParts(installation: Installation, paths: StatePaths, said: (text: string) => void): Promise<void> {
  const log = silentLogger;
  const engine = createEngine({ socketPath: installation.dockerSocket });
  const mine = await engine.list({ [LABEL.installation]: installation.id });
  await Promise.all(
    mine.map(async (it) => {
      await engine.stop(it.id, STOP_GRACE_MS);
      await engine.remove(it.id);
    }),
  );
  said(`${mine.length} containers removed`);
  await createGateway({
    dir: paths.gateway,
    httpPort: installation.httpPort,
    installation: installation.id,
    log,
    clock: systemClock,
  }).stop();
  said('gateway stopped');
  const network = createNetwork({ engine, installation, log });
  await createNames({ dir: paths.dns, network: () => unused(), log, command: [process.execPath] }).stop();
  said('resolver stopped');
  await removeSecretFiles(paths.secretFiles);
  await network.remove();
  said(`network ${installation.bridge} and its packet filter removed`);
}

/** Those that were pulled or built for it; what other containers use stays, whosever they are. */
async function removeImages(
  { dockerSocket }: Installation,
  paths: StatePaths,
  said: (text: string) => void,
): Promise<void> {
  const engine = createEngine({ socketPath: dockerSocket });
  // Cut off before, or damaged: what was pulled is not known then, and nothing is guessed.
  const history = await openImageHistory({ path: paths.pulledImages }).catch(() => null);
  const remove = (refs: readonly string[]) => Promise.all(refs.map((it) => engine.removeImage(it).catch(() => false)));
  await remove(EXAMPLE_VERSIONS.map(exampleTag));
  const pulled = await remove(history?.list() ?? []);
  if (pulled.length > 0) said(`${pulled.filter((it) => it).length} of ${pulled.length} pulled images removed`);
}

/** Stopping a resolver does not ask where it listens. */
function unused(): never {
  throw new Error('the network is not needed to stop the resolver');
}

async function removeState(installation: Installation, paths: StatePaths, said: (text: string) => void): Promise<void> {
  const volumes = createDirDriver({ root: paths.volumes, installation, log: silentLogger });
  for (const it of await volumes.list()) {
    await volumes.destroy(it.namespace, it.volume);
    said(`volume ${it.namespace}/${it.volume} removed`);
  }
  await removeImages(installation, paths, said);
  // What says that there is an installation goes last: a purge that was cut off can be run again.
  const others = (await readdir(paths.root))
    .map((it) => join(paths.root, it))
    .filter((it) => it !== paths.installation);
  for (const it of [...others, paths.root])
    await rm(it, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  said(`${paths.root} removed`);
}
