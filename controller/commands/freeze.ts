/** `/slipway freeze` and `/slipway unfreeze`: nothing is deployed in a namespace for a while, by nobody. */
import type { NamespaceName } from '../../schemas/names.ts';
import { type AnnounceDeps, announce } from '../announce.ts';
import type { Freezes } from '../consent/freezes.ts';
import { frozenText } from '../consent/frozen.ts';
import { isoNow } from '../execute/clock.ts';
import { type Asked, actorOf } from './verbs.ts';

export interface FreezeDeps extends AnnounceDeps {
  readonly freezes: Freezes;
}

/** Until somebody lifts it. The reason is kept, not repeated. */
export async function freeze(
  deps: FreezeDeps,
  { user, pull }: Asked,
  args: { readonly namespace: NamespaceName; readonly why: string },
): Promise<string> {
  const { namespace } = args;
  const why = args.why === '' ? `asked for in pull request #${pull.number}` : args.why;
  const record = { scope: namespace, by: actorOf(user), why, at: isoNow(deps.clock), until: null };
  await deps.freezes.set(record);
  const message = frozenText({ ...record, readable: true });
  await announce(deps, { kind: 'freeze.set', namespace, actor: record.by, message });
  return `${namespace} is frozen; what is live goes on serving, and a deploy under way ends before it is live. /slipway unfreeze ${namespace} lifts it.`;
}

/** A freeze of everything stays: only an operator lifts that. */
export async function unfreeze(
  deps: FreezeDeps,
  { user }: Asked,
  { namespace }: { readonly namespace: NamespaceName },
): Promise<string> {
  const lifted = await deps.freezes.lift(namespace);
  const actor = actorOf(user);
  if (lifted)
    await announce(deps, { kind: 'freeze.lifted', namespace, actor, message: `${namespace} is no longer frozen` });
  const said = lifted ? `${namespace} is no longer frozen.` : `${namespace} had no freeze of its own.`;
  const all = (await deps.freezes.list()).some((it) => it.scope === '*');
  return all ? `${said} Everything is frozen still: slipway unfreeze --all lifts that.` : said;
}
