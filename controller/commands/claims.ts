/** Claims on commands: a comment is taken by creating its record, so that nobody takes it twice. */
import { TakenCommand } from '../../schemas/command.ts';
import { isSlipwayError } from '../../schemas/errors.ts';
import type { CommandResult } from '../../schemas/forge.ts';
import type { Bucket } from '../../store/port.ts';

/** A claim and the revision of its record. */
export interface Claim {
  readonly taken: TakenCommand;
  readonly revision: number;
}

export interface Claims {
  /** null: somebody took it before. */
  create(taken: TakenCommand): Promise<Claim | null>;
  get(comment: number): Promise<Claim | null>;
  /** false: somebody else ended it meanwhile. */
  end(claim: Claim, state: Exclude<TakenCommand['state'], 'running'>, result: CommandResult): Promise<boolean>;
  /** Every one there ever was, whoever took it. */
  all(): Promise<Claim[]>;
}

export function createClaims({ bucket }: { readonly bucket: Bucket }): Claims {
  const keyOf = (comment: number) => [String(comment)];
  return {
    async create(taken) {
      try {
        return { taken, revision: await bucket.create(keyOf(taken.comment), taken) };
      } catch (error) {
        if (isSlipwayError(error, 'STATE_CONFLICT')) return null;
        throw error;
      }
    },
    async get(comment) {
      const entry = await bucket.get(keyOf(comment));
      return entry === null ? null : { taken: TakenCommand.parse(entry.value), revision: entry.revision };
    },
    async end({ taken, revision }, state, result) {
      try {
        await bucket.update(keyOf(taken.comment), { ...taken, state, result }, revision);
        return true;
      } catch (error) {
        if (isSlipwayError(error, 'STATE_CONFLICT')) return false;
        throw error;
      }
    },
    async all() {
      const entries = await bucket.list();
      return entries.map(({ value, revision }) => ({ taken: TakenCommand.parse(value), revision }));
    },
  };
}
