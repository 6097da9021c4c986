/** Ports of a plan that other programs of its machines have: refused before anything is touched. */
import { z } from 'zod';
import { SlipwayError } from '../../schemas/errors.ts';
import type { MachineName } from '../../schemas/names.ts';
import type { Plan } from '../../schemas/plan.ts';
import type { Messages } from '../../store/port.ts';
import { askAgent } from './ask-agent.ts';

const ANSWER_TIMEOUT_MS = 5_000;

const PortsReply = z.object({ holders: z.array(z.object({ port: z.int(), holder: z.string() })) });

/** @throws PORT_CONFLICT that names every port, who has it and who wants it */
export async function checkFreePorts(args: {
  readonly messages: Messages;
  readonly plan: Plan;
  readonly machines: readonly MachineName[];
}): Promise<void> {
  const { messages, plan, machines } = args;
  const wanted = gatewayPorts(plan);
  if (wanted.size === 0) return;
  const payload = { ports: [...wanted.keys()] };
  const taken = await Promise.all(
    machines.map(async (machine) => {
      const question = {
        question: 'ports',
        payload,
        timeoutMs: ANSWER_TIMEOUT_MS,
        patienceMs: ANSWER_TIMEOUT_MS,
      } as const;
      const { holders } = PortsReply.parse(await askAgent({ messages, machine, ...question }));
      return holders.map(
        ({ port, holder }) => `port ${port} that ${wanted.get(port)} wants is held by ${holder} on ${machine}`,
      );
    }),
  );
  const conflicts = taken.flat();
  if (conflicts.length === 0) return;
  throw new SlipwayError('PORT_CONFLICT', `${conflicts.join('; ')}: stop that program or choose another port`);
}

/** Tcp ports that the gateway opens for the plan, and the service that each leads to. */
function gatewayPorts({ namespace, services }: Plan): Map<number, string> {
  return new Map(
    services.flatMap((spec) => [
      ...spec.routes.flatMap((it) =>
        it.kind === 'tcp' ? [[it.listenPort, `${namespace}/${spec.name}`] as const] : [],
      ),
      ...spec.tcpPublish.map((it) => [it.hostPort, `${namespace}/${spec.name}`] as const),
    ]),
  );
}
