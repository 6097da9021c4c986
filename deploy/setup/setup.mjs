/** Setup from end to end: read the machine, decide, ask once, do it, look again, build. */
import { build } from './build.mjs';
import { announcement, consentFor, obtainConsent } from './consent.mjs';
import { decide } from './decide.mjs';
import { SetupFailure } from './failure.mjs';
import { readFacts } from './machine.mjs';
import { perform } from './perform.mjs';

/**
 * Makes this machine ready for the purpose; changes nothing, and says nothing, when it already is.
 *
 * @param {{ root: string, purpose: import('./programs.mjs').Purpose, yes: boolean, env: NodeJS.ProcessEnv,
 *   say: (line: string) => void, signal: AbortSignal }} given
 */
export async function setUp({ root, purpose, yes, env, say, signal }) {
  const facts = await readFacts({ root, env });
  const decision = decide(facts, purpose);
  if (decision.impossible !== undefined) throw new SetupFailure(decision.impossible);
  if (decision.commands.length > 0) {
    say(announcement(decision, facts));
    const isTerminal = process.stdin.isTTY && process.stderr.isTTY;
    await obtainConsent(consentFor({ purpose, yes, isTerminal, env }), signal);
    await perform({ decision, facts, root, env, say, signal });
    await verify({ root, purpose, env });
  }
  // The bare host builds its own clone.
  if (purpose !== 'bare') await build({ root, say, signal });
}

/** @param {{ root: string, purpose: import('./programs.mjs').Purpose, env: NodeJS.ProcessEnv }} given */
async function verify({ root, purpose, env }) {
  const { missing } = decide(await readFacts({ root, env }), purpose);
  if (missing.length === 0) return;
  const list = missing.map((need) => `${need.program} (${need.why})`).join(', ');
  throw new SetupFailure(`still not on the PATH after installing: ${list}`, {
    hint: 'Install what is listed by hand, then run this again.',
  });
}
