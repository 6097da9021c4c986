/**
 * The few fields of GitHub's hook payloads that are looked at. Pure, and never fails: what is missing, null or of another
 * kind is null. (Genuine payloads do not even fit GitHub's own published schemas.)
 */
import { z } from 'zod';

/** The value, or null for whatever else is there. */
function maybe<T extends z.ZodType>(schema: T) {
  return schema.nullable().catch(null);
}

/** A part of the payload with null in all its fields where there is none. */
function part<T extends z.ZodRawShape>(shape: T) {
  const object = z.object(shape);
  return z.preprocess((value) => (isObject(value) ? value : {}), object);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const text = maybe(z.string());
const id = maybe(z.int());
const number = maybe(z.int().min(1));
const moment = maybe(z.union([z.string(), z.int()]));

const HookPayload = part({
  action: text,
  ref: text,
  before: text,
  after: text,
  ref_type: text,
  repository: part({ id, pushed_at: moment }),
  pull_request: part({ number, updated_at: moment, head: part({ sha: text }) }),
  issue: part({ number, pull_request: maybe(z.unknown().refine(isObject)) }),
  comment: part({ id, user: part({ type: text }) }),
  review: part({ id, submitted_at: moment }),
  label: part({ id, name: text }),
  check_run: part({ id, head_sha: text, pull_requests: maybe(z.array(part({ number }))) }),
});
export type HookPayload = z.infer<typeof HookPayload>;

/** The fields of any value, also of one that is no payload at all. */
export function readPayload(value: unknown): HookPayload {
  return HookPayload.parse(value);
}
