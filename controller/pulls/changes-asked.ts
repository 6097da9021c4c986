/** Where plans are approved, changes that somebody asked for keep an approval from being used. */
import type { NamespaceName } from '../../schemas/names.ts';
import type { DeskDeps } from './desk.ts';
import type { Frame } from './models.ts';

/** Sentences on who asks for changes; where nobody has to approve, nobody is asked. */
export async function changesAsked(
  deps: Pick<DeskDeps, 'forge'>,
  { pull, tip }: Pick<Frame, 'pull' | 'tip'>,
  namespace: NamespaceName,
  signal: AbortSignal,
): Promise<string[]> {
  if (tip.settings.approvals[namespace]?.required !== true) return [];
  const by = await deps.forge.changeRequests(pull.number, signal);
  return by.map(({ login }) => `${login} asks for changes.`);
}

/** The loop tries again once the last one took that back: nothing else would tell it. */
export function pokeWhenTakenBack(
  { loop }: Pick<DeskDeps, 'loop'>,
  asked: Map<string, string>,
  about: { readonly number: number; readonly namespace: NamespaceName; readonly sentences: readonly string[] },
): void {
  const key = `${about.number} ${about.namespace}`;
  const now = about.sentences.join(' ');
  const before = asked.get(key) ?? '';
  if (now === '') asked.delete(key);
  else asked.set(key, now);
  if (before !== '' && now === '') loop.poke(about.namespace);
}
