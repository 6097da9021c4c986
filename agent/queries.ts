/**
 * Questions that change nothing and need no signature: is it there, what does an image string mean, who has a port,
 * which volumes lie here.
 */
import { z } from 'zod';
import { isSlipwayError } from '../schemas/errors.ts';
import type { Logger } from '../schemas/logger.ts';
import { NamespaceName } from '../schemas/names.ts';
import type { ImageRef, ServiceSpec } from '../schemas/service.ts';
import type { Messages } from '../store/port.ts';
import type { Images } from './images.ts';
import type { ReadInventory } from './inventory.ts';
import type { VolumeDriver } from './ports.ts';

const LOOKUP_TIMEOUT_MS = 18_000;
const POLICIES: readonly unknown[] = ['if-not-present', 'always', 'never'] satisfies ServiceSpec['pullPolicy'][];

export interface QueriesDeps {
  readonly machine: string;
  readonly messages: Pick<Messages, 'serve'>;
  readonly images: Pick<Images, 'resolve'>;
  /** Other programs that have one of these tcp ports of the machine. */
  readonly portHolders: (ports: readonly number[]) => Promise<readonly object[]>;
  readonly inventory: ReadInventory;
  readonly volumes: Pick<VolumeDriver, 'list'>;
  readonly log: Logger;
}

const Asked = z.object({ namespace: NamespaceName, hostnames: z.array(z.string()).max(10_000) });

type ImageAnswer = { image: ImageRef } | { error: { code: string; message: string } };

/**
 * `agent.<machine>.ping` {} → { machine }; `agent.<machine>.image` { imageName, pullPolicy } → { image } or { error };
 * `agent.<machine>.ports` { ports } → { holders }; `agent.<machine>.volumes` {} → { volumes };
 * `agent.<machine>.inventory` { namespace, hostnames } → NamespaceInventory.
 */
export function serveQueries(deps: QueriesDeps, signal: AbortSignal): void {
  const { machine, messages, images, portHolders, inventory, volumes, log } = deps;

  async function answer(payload: unknown): Promise<ImageAnswer> {
    const { imageName, pullPolicy } = (payload ?? {}) as Record<string, unknown>;
    if (typeof imageName !== 'string' || !POLICIES.includes(pullPolicy))
      return { error: { code: 'USAGE', message: 'wanted: { imageName, pullPolicy }' } };
    const limit = AbortSignal.any([signal, AbortSignal.timeout(LOOKUP_TIMEOUT_MS)]);
    try {
      return { image: await images.resolve(imageName, pullPolicy as ServiceSpec['pullPolicy'], limit) };
    } catch (error) {
      if (isSlipwayError(error)) return { error: { code: error.code, message: error.message } };
      if (limit.aborted)
        return { error: { code: 'REGISTRY_UNAVAILABLE', message: `the registry of ${imageName} does not answer` } };
      log.error({ err: error, imageName }, 'an image could not be looked up for a bug');
      return { error: { code: 'STEP_FAILED', message: 'the agent failed for an internal error; its log says more' } };
    }
  }

  messages.serve(['agent', machine, 'ping'], () => Promise.resolve({ machine }), signal);
  messages.serve(['agent', machine, 'image'], answer, signal);
  messages.serve(
    ['agent', machine, 'ports'],
    async (payload) => {
      const asked = ((payload ?? {}) as Record<string, unknown>)['ports'];
      const ports = Array.isArray(asked) ? asked.filter((it) => Number.isInteger(it)) : [];
      return { holders: await portHolders(ports as number[]) };
    },
    signal,
  );
  messages.serve(
    ['agent', machine, 'inventory'],
    async (payload) => {
      const { namespace, hostnames } = Asked.parse(payload);
      return await inventory(namespace, hostnames);
    },
    signal,
  );
  messages.serve(
    ['agent', machine, 'volumes'],
    async () => ({ volumes: (await volumes.list()).map(({ namespace, volume }) => ({ namespace, volume })) }),
    signal,
  );
}
