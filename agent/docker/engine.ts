/** The engine port over dockerode. The only file that knows it; every foreign error is translated here. */
import Docker from 'dockerode';
import { SlipwayError } from '../../schemas/errors.ts';
import { engineError, registryError, StreamRefusal, statusOf } from './errors.ts';
import { createFrameReader } from './frames.ts';
import { checkedRef } from './image-ref.ts';
import { openInside } from './inside.ts';
import * as read from './inspect.ts';
import { createJsonLines } from './json-lines.ts';
import type { Engine } from './port.ts';

const GONE = 404;
const CONFLICT = 409;
const MAX_EXEC_OUTPUT_BYTES = 16 * 1024;

/** Talks to the engine behind a unix socket. Opens nothing until it is first used. */
export function createEngine({ socketPath }: { socketPath: string }): Engine {
  const docker = new Docker({ socketPath });
  const of = (id: string) => docker.getContainer(id);

  return {
    info: (signal) =>
      call('read its state', async () => {
        signal?.throwIfAborted();
        // The signal is taken, but missing from the types.
        const info = docker.info.bind(docker) as (options: object) => Promise<unknown>;
        return read.engineInfo((await info(abort(signal))) as read.RawInfo);
      }),

    list: (labels, signal) =>
      call('list containers', async () => {
        const found = await docker.listContainers({ all: true, filters: labelFilter(labels), ...abort(signal) });
        return found.map(read.containerSummary);
      }),

    inspect: (id, signal) =>
      call('inspect a container', async () => {
        const raw = await unless([GONE], of(id).inspect(abort(signal)));
        return raw === undefined ? null : read.container(raw);
      }),

    create: (name, config, signal) =>
      call(`create container ${name}`, async () => {
        return (await docker.createContainer({ name, ...config, ...abort(signal) } as Docker.ContainerCreateOptions))
          .id;
      }),

    start: (id, signal) => call('start a container', () => unless([304], of(id).start(abort(signal)))),

    stop: (id, gracePeriodMs, signal) =>
      call('stop a container', () =>
        unless([304, GONE], of(id).stop({ t: Math.ceil(gracePeriodMs / 1000), ...abort(signal) })),
      ),

    kill: (id, unixSignal, signal) =>
      call('kill a container', () => unless([GONE, CONFLICT], of(id).kill({ signal: unixSignal, ...abort(signal) }))),

    // 409: somebody else's removal of it is under way.
    remove: (id, signal) =>
      call('remove a container', () =>
        unless([GONE, CONFLICT], of(id).remove({ force: true, v: true, ...abort(signal) })),
      ),

    rename: (id, name, signal) => call('rename a container', () => of(id).rename({ name, ...abort(signal) })),

    unpause: (id, signal) => call('unpause a container', () => unless([500, CONFLICT], of(id).unpause(abort(signal)))),

    wait: (id, signal) =>
      call('wait for a container', async () => {
        const ended = (await of(id).wait({ condition: 'not-running', ...abort(signal) })) as { StatusCode: number };
        return ended.StatusCode;
      }),

    exec: (id, argv, timeoutMs, signal) =>
      call('run a command in a container', async () => {
        const timeout = AbortSignal.timeout(timeoutMs);
        const either = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
        try {
          return await execute(docker, id, argv, either);
        } catch (error) {
          if (!timeout.aborted) throw error;
          throw new SlipwayError('AGENT_TIMEOUT', `the command did not end within ${timeoutMs} ms`, {}, error);
        }
      }),

    inside: (id, options) => call('run a command in a container', () => openInside(of(id), options)),

    logs: (id, { tail, follow }, onLine, signal) =>
      call('read the logs of a container', async () => {
        const options = { stdout: true, stderr: true, timestamps: true, tail, ...abort(signal) };
        const reader = createFrameReader();
        if (follow) {
          const stream = await of(id).logs({ ...options, follow: true });
          await drain(stream, (chunk) => reader.push(chunk).forEach(onLine), signal);
        } else reader.push(await of(id).logs({ ...options, follow: false })).forEach(onLine);
        reader.end().forEach(onLine);
      }),

    stats: (id, onSample, signal) =>
      call('read the statistics of a container', async () => {
        // The signal is taken, but missing from the types.
        const options: { stream: true } = { stream: true, ...abort(signal) };
        const stream = await of(id).stats(options);
        const lines = createJsonLines();
        await drain(
          stream,
          (chunk) =>
            (lines.push(chunk) as read.RawStats[])
              .filter(read.hasBefore)
              .forEach((it) => onSample(read.statsSample(it))),
          signal,
        );
      }),

    events: (labels, onOpen, onEvent, signal) =>
      call('follow its events', async () => {
        const filters = { ...labelFilter(labels), type: ['container'] };
        const options = { filters, ...abort(signal) } as Docker.GetEventsOptions;
        const stream = await docker.getEvents(options);
        onOpen();
        const lines = createJsonLines();
        await drain(
          stream,
          (chunk) =>
            (lines.push(chunk) as RawEvent[]).forEach(({ Type, Action, Actor }) => {
              onEvent({ type: Type, action: Action, id: Actor.ID, labels: Actor.Attributes ?? {} });
            }),
          signal,
        );
      }),

    image: (ref, signal) =>
      call('inspect an image', async () => {
        const raw = await unless(
          [GONE, 400],
          docker.getImage(checkedRef(ref)).inspect(abort(signal) as Docker.ImageInspectOptions),
        );
        return raw === undefined ? null : read.engineImage(raw);
      }),

    pull: async (ref, auth, onProgress, signal) => {
      try {
        const options: object = { ...(auth === null ? {} : { authconfig: auth }), ...abort(signal) };
        const stream: NodeJS.ReadableStream = await docker.pull(checkedRef(ref), options);
        await followPull(stream, onProgress);
      } catch (error) {
        signal?.throwIfAborted();
        throw registryError(ref, error);
      }
    },

    build: (tag, context, files, signal) =>
      call(`build ${tag}`, async () => {
        const options = { t: tag, ...abort(signal) } as Docker.ImageBuildOptions;
        await followPull(await docker.buildImage({ context, src: [...files] }, options), () => {});
      }),

    distribution: async (ref, auth, signal) => {
      try {
        const found = await docker.getImage(checkedRef(ref)).distribution({
          ...(auth === null ? {} : { authconfig: auth }),
          ...abort(signal),
        } as Docker.ImageDistributionOptions);
        return {
          digest: found.Descriptor.digest,
          platforms: found.Platforms.map((it) => ({ os: it.os, architecture: it.architecture })),
        };
      } catch (error) {
        signal?.throwIfAborted();
        throw registryError(ref, error);
      }
    },

    removeImage: (ref, signal) =>
      call('remove an image', async () => {
        try {
          await unless([GONE], docker.getImage(checkedRef(ref)).remove(abort(signal)));
          return true;
        } catch (error) {
          if (statusOf(error) === CONFLICT) return false;
          throw error;
        }
      }),

    listNetworks: (labels, signal) =>
      call('list networks', async () => {
        const options: object = { filters: labelFilter(labels), ...abort(signal) };
        return (await docker.listNetworks(options)).map(read.engineNetwork);
      }),

    createNetwork: (config, signal) =>
      call(`create network ${config.name}`, async () => {
        const made = await docker.createNetwork({
          Name: config.name,
          Driver: 'bridge',
          CheckDuplicate: true,
          Labels: { ...config.labels },
          Options: { ...config.options },
          IPAM: { Driver: 'default', Config: [{ Subnet: config.subnet, Gateway: config.gatewayAddress }] },
          ...abort(signal),
        });
        return made.id;
      }),

    removeNetwork: (id, signal) =>
      call('remove a network', () => unless([GONE], docker.getNetwork(id).remove(abort(signal)))),
  };

  async function call<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Error && error.name === 'AbortError') throw error;
      throw engineError(doing, error);
    }
  }
}

interface RawEvent {
  Type: 'container';
  Action: string;
  Actor: { ID: string; Attributes?: Record<string, string> };
}

async function execute(docker: Docker, id: string, argv: readonly string[], signal: AbortSignal) {
  const exec = await docker
    .getContainer(id)
    .exec({ Cmd: [...argv], AttachStdout: true, AttachStderr: true, abortSignal: signal });
  const stream = await exec.start({ abortSignal: signal } as Docker.ExecStartOptions);
  let output = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (output.length < MAX_EXEC_OUTPUT_BYTES) output += chunk.toString('utf8', 8);
  }
  const { ExitCode } = await exec.inspect({ abortSignal: signal });
  return { exitCode: ExitCode ?? -1, output };
}

/** Ends quietly when the signal ends it: that is how a stream is given up. */
async function drain(stream: NodeJS.ReadableStream, onChunk: (chunk: Buffer) => void, signal?: AbortSignal) {
  try {
    for await (const chunk of stream) onChunk(chunk as Buffer);
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}

interface PullLine {
  status?: string;
  id?: string;
  progressDetail?: { current?: number; total?: number };
  error?: string;
}

async function followPull(stream: NodeJS.ReadableStream, onProgress: (text: string) => void): Promise<void> {
  const lines = createJsonLines();
  const layers = new Map<string, { current: number; total: number }>();
  for await (const chunk of stream) {
    for (const line of lines.push(chunk as Buffer) as PullLine[]) {
      if (line.error !== undefined) throw new StreamRefusal(line.error);
      if (line.id !== undefined && line.progressDetail?.total !== undefined)
        layers.set(line.id, { current: line.progressDetail.current ?? 0, total: line.progressDetail.total });
      onProgress(progressText(line.status ?? '', [...layers.values()]));
    }
  }
}

function progressText(status: string, layers: readonly { current: number; total: number }[]): string {
  if (layers.length === 0) return status;
  const mebibytes = (pick: 'current' | 'total') =>
    (layers.reduce((sum, it) => sum + it[pick], 0) / (1 << 20)).toFixed(1);
  return `${mebibytes('current')} of ${mebibytes('total')} MiB`;
}

function labelFilter(labels: Readonly<Record<string, string>>): { label: string[] } {
  return { label: Object.entries(labels).map(([name, value]) => `${name}=${value}`) };
}

function abort(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

/** undefined for the statuses that mean "it is so already". */
async function unless<T>(statuses: readonly number[], work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (statuses.includes(statusOf(error) ?? 0)) return undefined;
    throw error;
  }
}
