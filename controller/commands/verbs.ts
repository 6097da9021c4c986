/** What commands do: an interface that several parts of the controller fill. */
import type { ForgeUser, Pull } from '../../schemas/forge.ts';
import type { NamespaceName, Revision } from '../../schemas/names.ts';
import type { Settings } from '../../schemas/settings.ts';
import { type Command, USAGE, type Verb } from './parse.ts';

/** Who asked, where, and by which rules; the role was checked. */
export interface Asked {
  /** As the API said a moment ago. */
  readonly pull: Pull;
  readonly user: ForgeUser;
  /** Id of the comment. */
  readonly comment: number;
  /** Of the tracked branch. */
  readonly settings: Settings;
  readonly signal: AbortSignal;
}

/** What was asked cannot be done: its message is sentences for whoever asked. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** Each carries a command out and gives sentences on how that ended. @throws Refused or SlipwayError when it did not */
export interface CommandVerbs {
  plan(asked: Asked): Promise<string>;
  /** `revision` null: the head as it is, for pull requests that are not a fork's. */
  preview(asked: Asked, revision: Revision | null): Promise<string>;
  destroy(asked: Asked): Promise<string>;
  approve(asked: Asked, plan: string): Promise<string>;
  promote(asked: Asked, source: NamespaceName, target: NamespaceName): Promise<string>;
  rollback(asked: Asked, namespace: NamespaceName | null, release: number | null): Promise<string>;
  freeze(asked: Asked, namespace: NamespaceName | null, why: string): Promise<string>;
  unfreeze(asked: Asked, namespace: NamespaceName | null): Promise<string>;
}

type OfVerb<V extends Verb> = Extract<Command, { readonly verb: V }>;

const CARRY_OUT: { [V in Verb]: (verbs: CommandVerbs, asked: Asked, command: OfVerb<V>) => Promise<string> } = {
  plan: (verbs, asked) => verbs.plan(asked),
  preview: (verbs, asked, it) => verbs.preview(asked, it.revision),
  destroy: (verbs, asked) => verbs.destroy(asked),
  approve: (verbs, asked, it) => verbs.approve(asked, it.plan),
  promote: (verbs, asked, it) => verbs.promote(asked, it.source, it.target),
  rollback: (verbs, asked, it) => verbs.rollback(asked, it.namespace, it.release),
  freeze: (verbs, asked, it) => verbs.freeze(asked, it.namespace, it.why),
  unfreeze: (verbs, asked, it) => verbs.unfreeze(asked, it.namespace),
  help: async () => `Commands are the first line of a new comment: ${Object.values(USAGE).join(', ')}.`,
};

/** Carries a command out. */
export async function carryOutCommand(verbs: CommandVerbs, asked: Asked, command: Command): Promise<string> {
  const run = CARRY_OUT[command.verb] as (verbs: CommandVerbs, asked: Asked, command: Command) => Promise<string>;
  return await run(verbs, asked, command);
}

/** What deploys, agreements and freezes call a user of the forge. */
export function actorOf({ login }: Pick<ForgeUser, 'login'>): string {
  return `github/${login}`;
}
