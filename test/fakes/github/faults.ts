/** Faults that a test orders: answers that get lost before or after the work is done, and silence. */
import type { ServerResponse } from 'node:http';

export interface Fault {
  /** `status` answers with one; `hang` never answers; `cut` closes the connection; `slow` waits and goes on. */
  readonly what: 'status' | 'hang' | 'cut' | 'slow';
  /** `after`: the request was carried out, only its answer is lost. */
  readonly when?: 'before' | 'after';
  /** An operation of the API such as `issues/create-comment`, or `git`; everything when not given. */
  readonly operation?: string;
  /** Only requests that change something. */
  readonly writesOnly?: boolean;
  /** How often; always when not given. */
  readonly times?: number;
  /** Of `status`; 502 when not given. */
  readonly status?: number;
  /** Of `slow`. */
  readonly delayMs?: number;
}

export type Faults = ReturnType<typeof createFaults>;

/** What a fault did to an answer: it may go on, or it is over. */
export type Outcome = 'go on' | 'over';

export function createFaults() {
  const ordered: { fault: Fault; left: number }[] = [];
  return {
    /** From now on. */
    add: (fault: Fault) => void ordered.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY }),
    /** All is well again. */
    clear: () => void ordered.splice(0),

    async strike(
      when: 'before' | 'after',
      operation: string,
      writes: boolean,
      response: ServerResponse,
    ): Promise<Outcome> {
      const found = ordered.find(
        ({ fault, left }) =>
          left > 0 &&
          (fault.when ?? 'before') === when &&
          (fault.operation === undefined || fault.operation === operation) &&
          (fault.writesOnly !== true || writes),
      );
      if (found === undefined) return 'go on';
      found.left--;
      return await STRIKES[found.fault.what](response, found.fault);
    },
  };
}

const STRIKES: Record<Fault['what'], (response: ServerResponse, fault: Fault) => Promise<Outcome>> = {
  async status(response, { status = 502 }) {
    response.writeHead(status, { 'content-type': 'application/json' }).end('{"message":"Server Error"}');
    return 'over';
  },
  hang: async () => 'over',
  async cut(response) {
    response.destroy();
    return 'over';
  },
  async slow(_, { delayMs = 1000 }) {
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    return 'go on';
  },
};
