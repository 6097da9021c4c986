/** A program on a terminal in the bare host: what it prints, and the keys pressed there. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { lastLines } from './command.ts';
import type { BareHost } from './host.ts';

export interface Terminal {
  /** What the screen got so far, without its control sequences. */
  screen(): string;
  /** The first match on the screen. @throws when the program ends or the time is up before */
  waitFor(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray>;
  /** Presses Ctrl-C; the exit code. @throws when the program does not end in time */
  interrupt(timeoutMs: number): Promise<number>;
}

const LOOK_MS = 50;

/**
 * Starts the command line (constant text: script(1) takes nothing else) in the folder.
 *
 * script makes a real terminal, so Ctrl-C goes the way that it goes for a person: to everybody in the foreground.
 */
export function openTerminal(host: BareHost, folder: string, commandLine: string, signal: AbortSignal): Terminal {
  const argv = ['exec', '-i', '-w', folder, host.name, 'script', '-qefc', commandLine, '/dev/null'];
  const child = spawn('docker', argv, { signal, stdio: ['pipe', 'pipe', 'pipe'] });
  let raw = '';
  let ended: number | undefined;
  let failed: Error | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      raw += text;
      process.stdout.write(text);
    });
  }
  child.stdin.on('error', () => undefined);
  child.once('error', (error) => {
    failed = error;
  });
  child.once('close', (exitCode) => {
    ended = exitCode ?? -1;
  });

  const screen = () => stripVTControlCharacters(raw).replaceAll('\r', '');
  async function until<T>(look: () => T | null | undefined, what: string, timeoutMs: number): Promise<T> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const found = look();
      if (found !== null && found !== undefined) return found;
      if (failed !== undefined) throw failed;
      const why = ended === undefined ? `not within ${timeoutMs / 1000} s` : `the program ended with ${ended}`;
      if (ended !== undefined || performance.now() > deadline) {
        throw new Error(`${what}: ${why}\n${lastLines(screen())}`);
      }
      await sleep(LOOK_MS, undefined, { signal });
    }
  }
  return {
    screen,
    waitFor: (pattern, timeoutMs) => until(() => pattern.exec(screen()), `waiting for ${pattern.source}`, timeoutMs),
    async interrupt(timeoutMs) {
      child.stdin.write('\x03');
      return await until(() => ended, 'waiting for the end after Ctrl-C', timeoutMs);
    },
  };
}
