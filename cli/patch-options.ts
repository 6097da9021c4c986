/** Options of `deploy service` → a patch: `-p 8080:80/tcp`, `-v data:/data:ro`, `-e NAME=value`. Pure. */
import type { PatchMount, PatchPort, ServicePatch } from '../controller/patch/patch.ts';
import { SlipwayError } from '../schemas/errors.ts';
import { type CommandContext, listOption, numberOption, textOption } from './run-command.ts';

/** What the options ask for, whichever service it is. @throws USAGE */
export function readPatchOptions(context: Pick<CommandContext, 'options'>): Omit<ServicePatch, 'service'> {
  return {
    image: textOption(context, 'image') ?? null,
    env: Object.fromEntries(listOption(context, 'env').map(envOf)),
    ports: listOption(context, 'publish').map(portOf),
    mounts: listOption(context, 'volume').map(mountOf),
    network: textOption(context, 'network') ?? null,
    restart: textOption(context, 'restart') ?? null,
    hostname: textOption(context, 'host') ?? null,
    port: numberOption(context, 'port') ?? null,
    replicaCount: null,
  };
}

function envOf(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  // The value may be a secret: a text without `=` can be one that was pasted in the wrong place.
  throw new SlipwayError('USAGE', '-e wants NAME=VALUE; nothing is taken from the environment of this command');
}

const PORT = /^(\d{1,5}):(\d{1,5})(?:\/(tcp|udp))?$/;

function portOf(text: string): PatchPort {
  const [, hostPort, port, protocol] = PORT.exec(text) ?? [];
  if (hostPort === undefined || port === undefined)
    throw new SlipwayError('USAGE', `-p ${text}: wanted HOST:CONTAINER, like 5432:5432 or 53:53/udp`);
  return { hostPort: Number(hostPort), port: Number(port), protocol: protocol === 'udp' ? 'udp' : 'tcp' };
}

const MOUNT = /^([^:]+):(\/[^:]*)(?::(ro|rw))?$/;

function mountOf(text: string): PatchMount {
  const [, source, target, mode] = MOUNT.exec(text) ?? [];
  if (source === undefined || target === undefined)
    throw new SlipwayError('USAGE', `-v ${text}: wanted SOURCE:/TARGET or SOURCE:/TARGET:ro, like data:/var/lib/data`);
  return { source, target: target.length > 1 ? target.replace(/\/+$/, '') : target, readonly: mode === 'ro' };
}
