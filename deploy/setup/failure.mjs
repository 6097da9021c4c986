/** How setup gives up: a message for people, what they can do next, and the exit code. */

/** Exit code of a step that somebody has to agree to first. */
export const REFUSED = 4;

/** A setup that cannot go on; `message` says what happened, `hint` what to do next. */
export class SetupFailure extends Error {
  /**
   * @param {string} message
   * @param {{ hint?: string, exitCode?: number }} [more]
   */
  constructor(message, { hint = '', exitCode = 1 } = {}) {
    super(message);
    this.name = 'SetupFailure';
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

/**
 * Runs a program's main function; a SetupFailure becomes two plain lines on stderr, a bug keeps its stack.
 *
 * @param {() => Promise<number>} main gives the exit code
 */
export async function runMain(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    process.stderr.write(`slipway: ${error.message}\n${error.hint === '' ? '' : `  ${error.hint}\n`}`);
    process.exitCode = error.exitCode;
  }
}
