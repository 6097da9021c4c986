/** This process's terminal and pipes, as a command in an instance uses them. */
import type { ExecStream, Terminal } from '../../schemas/exec.ts';

/** What a command is connected to. */
export interface Ends {
  readonly input: AsyncIterable<Buffer> | null;
  readonly terminal: Terminal | null;
  readonly write: (stream: ExecStream, bytes: Buffer) => Promise<void>;
  readonly onResize: (listener: (terminal: Terminal) => void) => void;
  /** The terminal is as it was, and nothing keeps the process alive. */
  restore(): void;
}

/** With a terminal and input every key goes to the command, Ctrl-C too. */
export function openEnds({ stdin, tty }: { readonly stdin: boolean; readonly tty: boolean }): Ends {
  const rawKeys = stdin && tty && process.stdin.isTTY;
  const size = (): Terminal => ({ columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 });
  let onResize = () => {};
  if (rawKeys) process.stdin.setRawMode(true);
  return {
    input: stdin ? process.stdin : null,
    terminal: tty ? size() : null,
    write: async (stream, bytes) =>
      await new Promise((resolve, reject) =>
        process[stream].write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(error))),
      ),
    onResize(listener) {
      if (!tty) return;
      onResize = () => listener(size());
      process.stdout.on('resize', onResize);
    },
    restore() {
      process.stdout.off('resize', onResize);
      if (rawKeys) process.stdin.setRawMode(false);
      if (stdin) process.stdin.destroy();
    },
  };
}
