/** `--var NAME=VALUE`: fills `{{env:NAME}}` of manifests that are given by hand, before `[env]` of slipway.toml. Pure. */
import { SlipwayError } from '../schemas/errors.ts';
import { EnvName } from '../schemas/manifest-values.ts';
import type { Settings } from '../schemas/settings.ts';
import type { CommandContext } from './run-command.ts';

export type Variables = Readonly<Record<string, string>>;

/** @throws USAGE */
export function variablesOf({ options }: Pick<CommandContext, 'options'>): Variables {
  const given = (options['var'] ?? []) as readonly string[];
  return Object.fromEntries(
    given.map((text) => {
      const [name = '', ...rest] = text.split('=');
      if (!EnvName.safeParse(name).success || rest.length === 0)
        throw new SlipwayError('USAGE', '--var wants NAME=VALUE, like --var REGION=eu');
      return [name, rest.join('=')];
    }),
  );
}

/** What git says is what runs: nothing from a command line is put into it. @throws USAGE */
export function refuseVariables(context: Pick<CommandContext, 'options'>): void {
  if (Object.keys(variablesOf(context)).length === 0) return;
  throw new SlipwayError('USAGE', '--var goes with -f FILE; for what git says, set it in [env] of slipway.toml');
}

export function withVariables(settings: Settings, variables: Variables): Settings {
  return { ...settings, env: { ...settings.env, ...variables } };
}
