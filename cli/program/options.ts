/** Options that several commands take, in the same words. */
import { InvalidArgumentError, Option } from 'commander';

export const number = (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('wants a whole number from 1.');
  return value;
};
export const also = (text: string, before: readonly string[] = []) => [...before, text];
export const dryRun = () => new Option('-n, --dry-run', 'show the plan and stop');
export const detailed = () => new Option('--detailed-exitcode', 'exit 2 when the plan has changes');
export const consent = () =>
  new Option('--consent <plan>', 'consent to exactly this plan and carry it out (its id, or the first 12 digits)');
export const pull = () => new Option('--pull', 'resolve every image tag again');
export const variable = () =>
  new Option('--var <name=value>', 'fills {{env:NAME}} of what is given by hand, before [env] of slipway.toml')
    .argParser((text: string, before: readonly string[]) => [...before, text])
    .default([], 'none');
