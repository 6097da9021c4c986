/** Placeholders in values of environment variables: `{{env:NAME}}`, filled from `[env]` of slipway.toml and nowhere else. Pure. */
import { didYouMean } from './suggest.ts';

/** Why a value cannot be filled, or the filled value. */
export type Filled =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly message: string; readonly hint?: string | undefined };

const PLACEHOLDER = /\{\{\s*([a-z_]{1,32})\s*:([^{}]{0,256})\}\}/g;

/** Replaces each placeholder. `{{secret:…}}` stays as it is: the field table refuses it. */
export function fillEnv(text: string, env: Readonly<Record<string, string>>): Filled {
  let failure: Filled | null = null;
  const value = text.replaceAll(PLACEHOLDER, (whole: string, kind: string, inner: string) => {
    const name = inner.trim();
    if (kind === 'secret') return whole;
    if (kind !== 'env') {
      failure ??= {
        ok: false,
        message: `"${kind}" is no kind of placeholder`,
        hint: didYouMean(kind, ['env', 'secret']),
      };
      return whole;
    }
    if (Object.hasOwn(env, name)) return env[name] ?? '';
    const hint = didYouMean(name, Object.keys(env)) ?? 'name it in [env] of slipway.toml';
    failure ??= { ok: false, message: `{{env:${name}}} is not in [env] of slipway.toml`, hint };
    return whole;
  });
  return failure ?? { ok: true, value };
}
