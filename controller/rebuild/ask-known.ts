/** Asks the agent of a machine what it still knows of the log. */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { SlipwayError } from '../../schemas/errors.ts';
import { Known, KnownAnswer } from '../../schemas/known.ts';
import type { Messages } from '../../store/port.ts';

const TIMEOUT_MS = 10_000;
/** What it knows may change between two parts: then all are asked for again. */
const MOST_READINGS = 10;

/** @throws MACHINE_UNREACHABLE */
export async function askKnown(messages: Pick<Messages, 'request'>, machine: string): Promise<Known> {
  for (let reading = 0; reading < MOST_READINGS; reading++) {
    const text = await readOnce(messages, machine);
    if (text === null) continue;
    const known = Known.parse(JSON.parse(text));
    if (known.machine !== machine)
      throw new SlipwayError('UNTRUSTED', `the agent that answers for ${machine} says that it is ${known.machine}`);
    return known;
  }
  throw new SlipwayError('MACHINE_UNREACHABLE', `what ${machine} knows changes all the while: end what deploys there`);
}

/** null: the parts do not belong together. */
async function readOnce(messages: Pick<Messages, 'request'>, machine: string): Promise<string | null> {
  const ask = async (part: number) =>
    KnownAnswer.parse(await messages.request(['agent', machine, 'known'], { part }, TIMEOUT_MS));
  const first = await ask(0);
  const pieces = [first.base64];
  for (let part = 1; part < first.parts; part++) {
    const next = await ask(part);
    if (next.sha256 !== first.sha256) return null;
    pieces.push(next.base64);
  }
  const bytes = Buffer.concat(pieces.map((it) => Buffer.from(it, 'base64')));
  if (createHash('sha256').update(bytes).digest('hex') !== first.sha256) return null;
  return (await promisify(gunzip)(bytes)).toString('utf8');
}
