/** Trace points around every engine command that changes something: where the kill test ends the process. */
import type { TracePoint } from '../../store/trace.ts';
import type { Engine } from './port.ts';

const CHANGING = [
  'create',
  'start',
  'stop',
  'kill',
  'remove',
  'rename',
  'unpause',
  'pull',
  'removeImage',
  'createNetwork',
  'removeNetwork',
] as const satisfies (keyof Engine)[];

/** The same engine; `docker.<command>` before each changing call and `docker.<command>.reply` after it. */
export function tracedEngine(engine: Engine, trace: TracePoint): Engine {
  const traced: Record<string, unknown> = { ...engine };
  for (const name of CHANGING) {
    const call = engine[name] as (...args: unknown[]) => Promise<unknown>;
    traced[name] = async (...args: unknown[]) => {
      trace(`docker.${name}`);
      const result = await call(...args);
      trace(`docker.${name}.reply`);
      return result;
    };
  }
  return traced as unknown as Engine;
}
