/** A command that runs in a container for somebody: Docker's exec over one hijacked connection. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { createDemultiplexer, type Part } from './demultiplex.ts';
import type { Inside, InsideOptions } from './port.ts';

/** The calls of dockerode that are used here. */
interface RawContainer {
  exec(options: object): Promise<RawExec>;
}
interface RawExec {
  start(options: object): Promise<Duplex>;
  inspect(): Promise<{ Running: boolean; Pid: number; ExitCode: number | null }>;
  resize(size: { h: number; w: number }): Promise<unknown>;
}

/** Begins the command. Foreign errors are the caller's to translate. */
export async function openInside(container: RawContainer, options: InsideOptions): Promise<Inside> {
  const { argv, env, user, stdin, terminal } = options;
  const exec = await container.exec({
    Cmd: [...argv],
    Env: [...env],
    AttachStdin: stdin,
    AttachStdout: true,
    AttachStderr: true,
    Tty: terminal !== null,
    ...(user === null ? {} : { User: user }),
  });
  const socket = await exec.start({ hijack: true, stdin, Tty: terminal !== null });
  // A command that ends closes its input while we may still write to it.
  socket.on('error', () => {});
  const resize = async ({ columns, rows }: { columns: number; rows: number }) =>
    void (await exec.resize({ h: rows, w: columns }));

  return {
    output: terminal === null ? demultiplexed(socket) : raw(socket),
    async write(bytes) {
      if (socket.destroyed || socket.writableEnded || socket.write(bytes)) return;
      const over = new AbortController();
      const { signal } = over;
      await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]).catch(() => {});
      over.abort();
    },
    endInput: () => void socket.end(),
    resize,
    async state() {
      const { Running, Pid, ExitCode } = await exec.inspect();
      return { pid: Running && Pid > 0 ? Pid : null, exitCode: Running ? null : (ExitCode ?? -1) };
    },
    close: () => void socket.destroy(),
  };
}

async function* demultiplexed(socket: Duplex): AsyncGenerator<Part> {
  const reader = createDemultiplexer();
  for await (const chunk of socket) yield* reader.push(chunk as Buffer);
}

async function* raw(socket: Duplex): AsyncGenerator<Part> {
  for await (const chunk of socket) yield { stream: 'stdout', bytes: chunk as Buffer };
}
