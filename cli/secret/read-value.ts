/** The value of a secret: from a file, from standard input with its exact bytes, or typed without being shown. */
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { MAX_SECRET_BYTES } from '../../controller/secrets.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { type CommandContext, textOption } from '../run-command.ts';

/** @throws USAGE when it is empty or too large */
export async function readSecretValue(context: CommandContext): Promise<Buffer> {
  const file = textOption(context, 'fromFile');
  const value = file === undefined ? await fromInput(context) : await fromFile(file);
  if (value.length === 0) throw new SlipwayError('USAGE', 'the value is empty: `slipway secret rm` removes a secret');
  if (value.length > MAX_SECRET_BYTES)
    throw new SlipwayError('USAGE', `the value has ${value.length} bytes; ${MAX_SECRET_BYTES} are possible`);
  const last = value.at(-1);
  if (file === undefined && last === '\n'.charCodeAt(0) && !process.stdin.isTTY)
    context.output.note('the value ends with a line break, which is part of it; `printf %s …` writes none');
  return value;
}

async function fromFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new SlipwayError('USAGE', `${path} cannot be read`, {}, error);
  }
}

async function fromInput({ output, signal }: CommandContext): Promise<Buffer> {
  if (!process.stdin.isTTY) return await buffer(process.stdin);
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const typed = createInterface({ input: process.stdin, output: unseen, terminal: true });
  try {
    output.note('value (not shown; Enter ends it):');
    return Buffer.from(await typed.question('', { signal }));
  } finally {
    typed.close();
  }
}
