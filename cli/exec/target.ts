/** Which instance a command is run in: the one that NAMESPACE/SERVICE or NAMESPACE/SERVICE.INDEX means now. Pure. */
import type { SlotView } from '../../controller/slots.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import type { InstanceReport } from '../../schemas/observed.ts';

export interface Target {
  readonly namespace: string;
  readonly service: string;
  /** null: any slot of the service. */
  readonly slot: string | null;
}

/** Parts of `production/web` or `production/web.0`. @throws USAGE */
export function parseTarget(text: string): Target {
  const found = /^([^/]+)\/([^/.]+)(\.\d+)?$/.exec(text);
  if (found === null) {
    throw new SlipwayError(
      'USAGE',
      `${text} is not NAMESPACE/SERVICE, like production/web (or production/web.0 for one slot)`,
    );
  }
  const [, namespace = '', service = '', index] = found;
  return { namespace, service, slot: index === undefined ? null : `${service}${index}` };
}

/** The instance: the named slot's, else the first that is ready. @throws USAGE, MACHINE_UNREACHABLE: with what there is */
export function chooseInstance(target: Target, views: readonly SlotView[]): InstanceReport {
  const { namespace, service, slot } = target;
  const what = `${namespace}/${slot ?? service}`;
  const mine = views.filter((it) => it.service === service);
  if (mine.length === 0) {
    const known = [...new Set(views.map((it) => it.service))].join(', ');
    throw new SlipwayError('USAGE', `${namespace} has no service ${service} that runs; it has ${known || 'none'}`);
  }
  const asked = slot === null ? mine : mine.filter((it) => it.slot === slot);
  if (asked.length === 0)
    throw new SlipwayError('USAGE', `${what} is not a slot; there are ${mine.map((it) => it.slot).join(', ')}`);
  const running = asked.filter((it) => it.report !== null && it.state !== 'exited' && it.state !== 'paused');
  const chosen = slot === null ? running.find((it) => it.state === 'ready') : running[0];
  const report = chosen?.report ?? null;
  if (report !== null) return report;
  const states = asked.map((it) => `${it.slot} is ${it.state} on ${it.machine}`).join(', ');
  if (asked.every((it) => it.state === 'unknown')) {
    throw new SlipwayError(
      'MACHINE_UNREACHABLE',
      `${states}: no agent has reported in the last 90 s; \`slipway up\` starts the one of this machine`,
    );
  }
  const hint =
    running[0] === undefined
      ? `\`slipway why ${namespace}/${service}\` says why`
      : `name the slot to run in it anyway: ${namespace}/${running[0].slot}`;
  throw new SlipwayError('USAGE', `nothing of ${what} is ready (${states}); ${hint}`);
}
