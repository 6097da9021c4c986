/** Runs a program to its end, without a shell; what the bare-host proof does everything with. */
import { spawn } from 'node:child_process';

export interface Ended {
  readonly exitCode: number;
  /** stdout and stderr, as they came. */
  readonly output: string;
}

export interface CommandOptions {
  readonly signal: AbortSignal;
  readonly cwd?: string;
  readonly input?: string;
  /** Also gets every piece of output as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** The end of the program, whatever its exit code. */
export async function attempt(argv: readonly string[], options: CommandOptions): Promise<Ended> {
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { cwd: options.cwd, signal: options.signal, stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      options.onOutput?.(text);
    });
  }
  // A program that ends without reading its input is no failure of ours.
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode: exitCode ?? -1, output }));
  });
}

/** The output of the program. @throws when its exit code is not 0, with its last lines */
export async function run(argv: readonly string[], options: CommandOptions): Promise<string> {
  const { exitCode, output } = await attempt(argv, options);
  if (exitCode === 0) return output;
  throw new Error(`${argv.join(' ')} ended with ${exitCode}:\n${lastLines(output)}`);
}

/** The end of a long output, for a message. */
export function lastLines(output: string, count = 40): string {
  return output.trimEnd().split('\n').slice(-count).join('\n');
}
