/** An engine whose containers cannot tell secrets: log lines, what probes print, and error messages are redacted. */
import { SlipwayError } from '../../schemas/errors.ts';
import type { Redactor } from '../../trust/redact.ts';
import type { Engine } from '../docker/port.ts';

/** The same engine; what `redactor` knows is taken out of all text that comes from it. */
export function redactedEngine(engine: Engine, { redact }: Pick<Redactor, 'redact'>): Engine {
  const guarded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      // Without its cause, which says the same in the words of Docker.
      if (error instanceof SlipwayError && redact(error.message) !== error.message)
        throw new SlipwayError(error.code, redact(error.message), error.details);
      throw error;
    }
  };
  return {
    ...engine,
    create: (...args) => guarded(engine.create(...args)),
    start: (...args) => guarded(engine.start(...args)),
    // Its output is for whoever has the key to run anything in there: exact bytes.
    inside: (...args) => guarded(engine.inside(...args)),
    exec: async (...args) => {
      const { exitCode, output } = await guarded(engine.exec(...args));
      return { exitCode, output: redact(output) };
    },
    logs: (id, range, onLine, signal) =>
      guarded(engine.logs(id, range, (it) => onLine({ ...it, line: redact(it.line) }), signal)),
  };
}
