/**
 * Placeholders in values of environment variables: `{{env:NAME}}` is filled from `[env]` of slipway.toml (or `--var`) and
 * nowhere else; `{{secret:NAME}}` stays, in one spelling. Pure.
 */
import { SECRET_NAME, secretPlaceholder } from '../../schemas/secret.ts';
import { didYouMean } from './suggest.ts';

/** Why a value cannot be filled, or the filled value. */
export type Filled =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly message: string; readonly hint?: string | undefined };

const PLACEHOLDER = /\{\{\s*([a-z_]{1,32})\s*:([^{}]{0,256})\}\}/g;

/** Replaces each placeholder. */
export function fillEnv(text: string, env: Readonly<Record<string, string>>): Filled {
  let failure: Filled | null = null;
  const value = text.replaceAll(PLACEHOLDER, (whole: string, kind: string, inner: string) => {
    const name = inner.trim();
    if (kind === 'secret') {
      if (SECRET_NAME.test(name)) return secretPlaceholder(name);
      failure ??= {
        ok: false,
        message: `${JSON.stringify(name)} is not the name of a secret: 1 to 63 of letters, digits, ".", "_" and "-"`,
      };
      return whole;
    }
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
