/** What people read of a plan that cannot be made. Pure. */
import type { PlanFailure } from './input.ts';

/** The failure's message, after the service that it is about. */
export function failureText({ service, message }: PlanFailure): string {
  return service === null ? message : `${service}: ${message}`;
}
