/** The door for commands that people run in containers: signature, addressee, age, and each order once. */
import { SlipwayError } from '../../schemas/errors.ts';
import type { ExecInput, ExecOrder } from '../../schemas/exec.ts';
import { verifyExecInput, verifyExecOrder } from '../../trust/sign-exec.ts';
import type { FindTrustedKeys } from '../trusted-keys.ts';

/** An order is good for this long after it was signed; clocks may differ by as much. */
const GOOD_FOR_MS = 60_000;

export interface DoorDeps {
  readonly installation: string;
  readonly machine: string;
  readonly trustedKeys: FindTrustedKeys;
  readonly now: () => number;
  /** When this agent began: it cannot know which orders an earlier one has carried out. */
  readonly bornAt: number;
}

export interface ExecDoor {
  /** An order that may be carried out, now and never again. @throws UNTRUSTED with why not */
  order(payload: unknown): Promise<ExecOrder>;
  /** @throws UNTRUSTED with why not */
  input(payload: unknown): Promise<ExecInput>;
}

export function createExecDoor({ installation, machine, trustedKeys, now, bornAt }: DoorDeps): ExecDoor {
  /** Id → when the order is too old anyway. */
  const seen = new Map<string, number>();

  const keysFor = async (payload: unknown) => await trustedKeys((payload as { keyId?: unknown } | null)?.keyId);

  function addressed(it: { readonly installation: string; readonly machine: string }): void {
    if (it.installation !== installation || it.machine !== machine)
      throw refusal(`this is machine ${machine} of installation ${installation}`);
  }

  return {
    async order(payload) {
      const order = verifyExecOrder(payload, await keysFor(payload));
      addressed(order);
      const at = Date.parse(order.at);
      for (const [id, untilMs] of seen) if (untilMs < now()) seen.delete(id);
      if (Math.abs(now() - at) > GOOD_FOR_MS)
        throw refusal(
          `the order is of ${order.at} and here it is ${new Date(now()).toISOString()}: it is good for 60 s; are the clocks right?`,
        );
      if (at < bornAt) throw refusal('the order is older than this agent, which has just started: ask again');
      if (seen.has(order.id)) throw refusal('the order was carried out before');
      seen.set(order.id, at + 2 * GOOD_FOR_MS);
      return order;
    },
    async input(payload) {
      const input = verifyExecInput(payload, await keysFor(payload));
      addressed(input);
      return input;
    },
  };
}

function refusal(message: string): SlipwayError {
  return new SlipwayError('UNTRUSTED', message);
}
