/** Names: the identifiers that appear in manifests, subjects, labels and records. */
import { z } from 'zod';

/** What every name looks like: 1–63 of `a-z0-9_-`, first and last alphanumeric. */
export const LABEL = /^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$/;

/** A namespace: 1–63 of `a-z0-9_-`, first and last alphanumeric (production, staging, pr-42). */
export const NamespaceName = z.string().regex(LABEL);
export type NamespaceName = z.infer<typeof NamespaceName>;

/** A service, unique in its namespace. Same alphabet as a namespace. */
export const ServiceName = z.string().regex(LABEL);
export type ServiceName = z.infer<typeof ServiceName>;

/** A volume, unique in its namespace. Same alphabet as a namespace. */
export const VolumeName = z.string().regex(LABEL);
export type VolumeName = z.infer<typeof VolumeName>;

/** A machine of the installation. Same alphabet as a namespace. */
export const MachineName = z.string().regex(LABEL);
export type MachineName = z.infer<typeof MachineName>;

/** `web.0`: a replica's stable place. */
export const SlotName = z.string().regex(/^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?\.\d{1,5}$/);
export type SlotName = z.infer<typeof SlotName>;

/** One attempt to carry a plan out; sorts by time of creation: 9 base-32 digits of time, 7 of randomness. */
export const DeployId = z.string().regex(/^[0-9a-hjkmnp-tv-z]{16}$/);
export type DeployId = z.infer<typeof DeployId>;

/** sha256 in lower-case hex, without prefix. */
export const Digest = z.string().regex(/^[0-9a-f]{64}$/);
export type Digest = z.infer<typeof Digest>;

/** A git object id. */
export const Revision = z.string().regex(/^[0-9a-f]{40}$/);
export type Revision = z.infer<typeof Revision>;

/** Slot of a service by its index, from 0. */
export function slotName(service: ServiceName, index: number): SlotName {
  return `${service}.${index}`;
}

/** Index of a slot within its service. */
export function slotIndex(slot: SlotName): number {
  return Number(slot.slice(slot.lastIndexOf('.') + 1));
}
