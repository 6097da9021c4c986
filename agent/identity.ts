/** Who a container is: the labels and the name that tie it to a slot or a job of this installation. Pure. */
import type { SlotRow } from '../schemas/release.ts';
import type { Container } from './docker/port.ts';

const PREFIX = 'slipway';

export const LABEL = {
  installation: `${PREFIX}.installation`,
  namespace: `${PREFIX}.namespace`,
  service: `${PREFIX}.service`,
  slot: `${PREFIX}.slot`,
  deploy: `${PREFIX}.deploy`,
  spec: `${PREFIX}.spec`,
  template: `${PREFIX}.template`,
  job: `${PREFIX}.job`,
} as const;

/** What the labels of one of our containers say. A job has the slot `<service>.job`. */
export interface Identity {
  readonly namespace: string;
  readonly service: string;
  readonly slot: string;
  readonly deploy: string;
  readonly spec: string;
  readonly template: string;
  readonly job: boolean;
}

/** What an instance is recognised by within its namespace. */
export type InstanceKey = Pick<SlotRow, 'slot' | 'template' | 'deploy'>;

/** One text for (slot, template, deploy). */
export function instanceKey(key: InstanceKey): string {
  return `${key.slot}/${key.template}/${key.deploy}`;
}

/** Labels of the instance that fills a slot. */
export function instanceLabels(installation: string, namespace: string, row: SlotRow): Record<string, string> {
  return labels(installation, { ...row, namespace, job: false });
}

/** Labels of the container that runs a job. */
export function jobLabels(
  installation: string,
  job: { namespace: string; service: string; template: string; spec: string; deploy: string },
): Record<string, string> {
  return labels(installation, { ...job, slot: jobSlot(job.service), job: true });
}

/** The place of a job's container; no replica's slot ends like it. */
export function jobSlot(service: string): string {
  return `${service}.job`;
}

function labels(installation: string, it: Identity): Record<string, string> {
  return {
    [LABEL.installation]: installation,
    [LABEL.namespace]: it.namespace,
    [LABEL.service]: it.service,
    [LABEL.slot]: it.slot,
    [LABEL.deploy]: it.deploy,
    [LABEL.spec]: it.spec,
    [LABEL.template]: it.template,
    ...(it.job ? { [LABEL.job]: '1' } : {}),
  };
}

/** null: the labels are not (all) ours. */
export function identityOf(container: Pick<Container, 'labels'>): Identity | null {
  const read = (name: keyof typeof LABEL) => container.labels[LABEL[name]];
  const [namespace, service, slot] = [read('namespace'), read('service'), read('slot')];
  const [deploy, spec, template] = [read('deploy'), read('spec'), read('template')];
  if (!namespace || !service || !slot || !deploy || !spec || !template) return null;
  return { namespace, service, slot, deploy, spec, template, job: read('job') === '1' };
}

/** Unique: names hold no dot except a slot's last one, so two identities never share one. */
export function instanceName(installation: string, namespace: string, key: InstanceKey): string {
  return `${PREFIX}-${installation}.${namespace}.${key.slot}.${key.deploy}`;
}

/** Name of the container that runs a job; one for each template. */
export function jobName(installation: string, namespace: string, service: string, template: string): string {
  return `${PREFIX}-${installation}.${namespace}.${jobSlot(service)}.${template.slice(0, 16)}`;
}

/** What the container calls itself: its slot, within the 63 characters that Linux takes. */
export function hostnameOf(slot: string): string {
  const dot = slot.lastIndexOf('.');
  const index = slot.slice(dot + 1);
  return `${slot.slice(0, Math.min(dot, 62 - index.length))}-${index}`;
}

/** How the gateway calls an instance. */
export function endpointId(containerId: string): string {
  return containerId.slice(0, 12);
}
