/** A person's shell in the bare host: one bash for many blocks of commands, so that folders and variables stay. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { type Ended, lastLines } from './command.ts';
import type { BareHost } from './host.ts';

export interface Shell {
  /** Runs the commands; the exit code is that of the last one that failed. @throws when they do not end in time */
  run(script: string, timeoutMs: number): Promise<Ended>;
  close(): void;
}

/**
 * Opens it in the folder. What is printed is also shown here.
 *
 * Blocks lie in a file that the shell reads, so a command that reads its standard input cannot swallow the next block.
 */
export function openShell(host: BareHost, folder: string, signal: AbortSignal): Shell {
  const child = spawn('docker', ['exec', '-i', '-w', folder, host.name, 'bash'], { signal });
  const mark = `block-${randomBytes(8).toString('hex')}`;
  const endOfBlock = new RegExp(`\n${mark} (\\d+)\n`);
  const shownMark = new RegExp(`\n?${mark} \\d+\n`);
  let printed = '';
  let ended: Error | null = null;
  let look = () => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      process.stdout.write(text.replace(shownMark, ''));
      look();
    });
  }
  child.stdin.on('error', () => undefined);
  const end = (error: Error) => {
    ended ??= error;
    look();
  };
  child.once('error', end).once('close', (code) => end(new Error(`the shell ended with ${code}`)));
  child.stdin.write(`exec 2>&1\ntrap 'failed=$?' ERR\n`);

  return {
    async run(script, timeoutMs) {
      printed = '';
      const file = `/tmp/${mark}.sh`;
      child.stdin.write(`cat > ${file} <<'${mark}'\n${script}\n${mark}\n`);
      child.stdin.write(`failed=0; . ${file} < /dev/null; printf '\\n%s %d\\n' ${mark} "$failed"; rm ${file}\n`);
      return await new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`not done within ${timeoutMs / 1000} s:\n${script}\n\n${lastLines(printed)}`));
        }, timeoutMs);
        const settle = (act: () => void) => {
          clearTimeout(timer);
          look = () => {};
          act();
        };
        look = () => {
          const match = endOfBlock.exec(printed);
          const failure = ended;
          if (match !== null) {
            settle(() => resolve({ exitCode: Number(match[1]), output: printed.slice(0, match.index) }));
          } else if (failure !== null) settle(() => reject(failure));
        };
        look();
      });
    },
    close() {
      child.stdin.end();
    },
  };
}
