/** What another program says when it is asked for its version or state. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const TIMEOUT_MS = 5_000;

/** The first line of its output; null: it is missing, fails, or does not end in time. */
export async function firstLineOf([program = '', ...argv]: readonly string[]): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)(program, argv, { timeout: TIMEOUT_MS });
    return (stdout.split('\n')[0] ?? '').trim();
  } catch {
    return null;
  }
}
