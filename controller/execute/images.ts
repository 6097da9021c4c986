/**
 * Images: from the string of a manifest to what exactly runs.
 *
 * What a lock file pins is taken as it is. Else a service keeps the digest that its release pinned while its image string
 * stays the same; it is resolved again when the string changes, with `pull_policy = "always"`, or on request.
 */
import { z } from 'zod';
import { ERRORS, type ErrorCode, isSlipwayError, SlipwayError } from '../../schemas/errors.ts';
import { type DesiredService, ImageRef, type ServiceSpec } from '../../schemas/service.ts';
import type { Messages } from '../../store/port.ts';
import { isListed } from '../fork/registries.ts';
import type { PlanFailure } from '../plan/input.ts';
import { askAgent } from './ask-agent.ts';

/** A registry may be slow; an agent asks it on our behalf. */
const RESOLVE_TIMEOUT_MS = 20_000;

/** An agent that starts again is back within this. */
const AGENT_PATIENCE_MS = 10_000;

const ImageReply = z.union([
  z.object({ image: ImageRef }),
  z.object({ error: z.object({ code: z.string(), message: z.string() }) }),
]);

/** The services of a plan whose references may change their meaning: all of them, or the ones a patch names. */
export type FreshServices = 'all' | ReadonlySet<string>;

export interface PinnedImages {
  /** Service → image. */
  readonly images: Record<string, ImageRef>;
  readonly failures: readonly PlanFailure[];
}

/**
 * Pins the image of every service.
 *
 * @param machine whose engine and registry credentials are asked
 * @param fresh services whose strings may be resolved again; every other one keeps what is live, whatever it says
 * @param refresh resolve the strings of these again although nothing asks for it
 * @param onlyRegistries of other registries only what an engine has is taken; nobody is asked
 */
export async function pinImages(args: {
  readonly services: readonly DesiredService[];
  readonly released: ReadonlyMap<string, ServiceSpec>;
  readonly machine: string;
  readonly messages: Messages;
  readonly fresh: FreshServices;
  readonly refresh: boolean;
  /** Registries that may be asked; null: all. */
  readonly onlyRegistries: readonly string[] | null;
  /** Service → image that is known already, where the release has none of the same string. */
  readonly given?: Readonly<Record<string, ImageRef>>;
  /** Service → image that people agreed to, whatever the pull policy. */
  readonly reviewed?: Readonly<Record<string, ImageRef>>;
}): Promise<PinnedImages> {
  const images: Record<string, ImageRef> = {};
  const failures: PlanFailure[] = [];
  const asked = new Map<string, Promise<ImageRef>>();
  await Promise.all(
    args.services.map(async (service) => {
      // Nobody is asked: whether the machine can have it is found out when it is pulled, before anything is touched.
      if (service.lockedImage !== undefined) {
        images[service.name] = service.lockedImage;
        return;
      }
      const before = args.released.get(service.name);
      const fresh = args.fresh === 'all' || args.fresh.has(service.name);
      const same = before?.imageName === service.imageName && service.pullPolicy !== 'always' && !args.refresh;
      if (before !== undefined && (same || !fresh)) {
        images[service.name] = before.template.image;
        return;
      }
      const known =
        of(args.reviewed, service.name) ?? (service.pullPolicy === 'always' ? null : of(args.given, service.name));
      if (known !== null && !args.refresh) {
        images[service.name] = known;
        return;
      }
      const key = `${service.pullPolicy} ${service.imageName}`;
      const answer = asked.get(key) ?? ask(args, service);
      asked.set(key, answer);
      try {
        images[service.name] = await answer;
      } catch (error) {
        if (!(error instanceof SlipwayError)) throw error;
        failures.push({ code: error.code, service: service.name, message: error.message });
      }
    }),
  );
  const serviceOf = (it: PlanFailure) => it.service ?? '';
  return { images, failures: failures.toSorted((a, b) => (serviceOf(a) < serviceOf(b) ? -1 : 1)) };
}

function of(images: Readonly<Record<string, ImageRef>> | undefined, service: string): ImageRef | null {
  return images !== undefined && Object.hasOwn(images, service) ? (images[service] ?? null) : null;
}

async function ask(args: Parameters<typeof pinImages>[0], service: Resolvable): Promise<ImageRef> {
  const { onlyRegistries } = args;
  if (onlyRegistries !== null && !isListed(service.imageName, onlyRegistries)) return await onlyHere(args, service);
  return args.refresh ? await resolveAnew(args, service) : await resolve(args, service);
}

/** An image string of a registry that nobody listed: an engine may have it, but nobody is asked for it. */
async function onlyHere(args: Parameters<typeof resolve>[0], { imageName }: Resolvable): Promise<ImageRef> {
  return await resolve(args, { imageName, pullPolicy: 'never' }).catch((error: unknown) => {
    if (!isSlipwayError(error, 'IMAGE_NOT_FOUND')) throw error;
    const why = `${imageName} is on no machine, and [images] registries in slipway.toml does not list where it comes from`;
    throw new SlipwayError('IMAGE_NOT_FOUND', why, {}, error);
  });
}

type Resolvable = Pick<DesiredService, 'imageName' | 'pullPolicy'>;

/**
 * What the tag means where the image comes from: an engine that once pulled it would only say what it meant then. An
 * image that was built on the machine has no registry to ask.
 */
async function resolveAnew(args: { machine: string; messages: Messages }, service: Resolvable): Promise<ImageRef> {
  const known = await resolve(args, service);
  if (service.pullPolicy !== 'if-not-present' || 'localId' in known) return known;
  return await resolve(args, { ...service, pullPolicy: 'always' });
}

async function resolve(args: { machine: string; messages: Messages }, service: Resolvable): Promise<ImageRef> {
  const request = { imageName: service.imageName, pullPolicy: service.pullPolicy };
  const answer = await askAgent({
    messages: args.messages,
    machine: args.machine,
    question: 'image',
    payload: request,
    timeoutMs: RESOLVE_TIMEOUT_MS,
    patienceMs: AGENT_PATIENCE_MS,
  });
  const reply = ImageReply.parse(answer);
  if ('image' in reply) return reply.image;
  const { code, message } = reply.error;
  throw new SlipwayError(code in ERRORS ? (code as ErrorCode) : 'IMAGE_NOT_FOUND', message);
}
