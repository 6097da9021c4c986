/** `slipway releases --git`: the history of a namespace as the fleet repository has it, and whether it is to be believed. */

import type { LedgerCommit } from '../../controller/record/ledger-commit.ts';
import { historyOf } from '../../controller/record/read-ledger.ts';
import { openTracked, readTracked } from '../../controller/tracked.ts';
import { SlipwayError } from '../../schemas/errors.ts';
import { hasCommit, ledgerRef } from '../../schemas/ledger.ts';
import type { Connection } from '../connect.ts';
import { EXIT } from '../exit-codes.ts';
import { printable } from '../output.ts';
import { type CommandContext, numberOption } from '../run-command.ts';
import { trustedSigners } from '../up/keys.ts';

const REVISION_DIGITS = 10;

export async function releasesInGit(
  context: CommandContext,
  connection: Connection,
  namespace: string,
): Promise<number> {
  const { output, signal } = context;
  const { store, installation, paths, log } = connection;
  const tracked = await readTracked(store.bucket('cluster'));
  if (tracked === null)
    throw new SlipwayError('SOURCE_UNAVAILABLE', 'no fleet repository is followed: `slipway up --repo PATH` names one');
  const workshop = openTracked({ tracked, paths, env: process.env, log });
  const trusted = await trustedSigners(paths, installation.id);
  const most = numberOption(context, 'limit') ?? 20;
  const commits = await historyOf({ workshop, trusted }, { namespace, most }, signal);
  const ref = ledgerRef(namespace);
  if (commits === null) {
    const next = 'a running controller writes it there; `slipway releases` shows what is released';
    throw new SlipwayError('UNKNOWN_RELEASE', `${workshop.name} has no ${ref}: ${next}`);
  }
  const newest = commits.find((it) => it.signedBy !== null)?.says?.entry.n ?? 0;
  const after = await store.log.entries(namespace, { from: newest + 1 });
  const missing = after.filter(hasCommit).map((it) => it.n);
  const signed = commits.every((it) => it.signedBy !== null);
  output.result({ namespace, repository: workshop.name, ref, signed, missing, commits: commits.map(recordOf) }, () => {
    output.table(['N', 'KIND', 'AT', 'BY', 'COMMIT', 'SIGNED', 'WHAT'], commits.map(rowOf));
    for (const it of commits.filter(({ why }) => why !== null).slice(0, 1))
      output.line(`${it.revision.slice(0, REVISION_DIGITS)} is not by Slipway: ${it.why}`);
    if (missing.length > 0) output.line(`not in git yet: ${missing.map((n) => `#${n}`).join(', ')}`);
    output.line(`the same with git: git fetch origin '+refs/slipway/*:refs/slipway/*' && git log --graph ${ref}`);
    output.line('`slipway store signers` prints the keys that `git log --show-signature` wants');
  });
  return signed ? EXIT.ok : EXIT.failed;
}

/** What nobody signed is not passed on as if it were a release. */
function recordOf({ revision, parents, signedBy, why, says }: LedgerCommit) {
  const { entry, ...rest } = says ?? {};
  const believed = signedBy === null ? {} : { n: entry?.n, ...rest };
  return { revision, signed: signedBy !== null, signedBy, why, parents, ...believed };
}

function rowOf({ revision, signedBy, why, says }: LedgerCommit): string[] {
  const commit = revision.slice(0, REVISION_DIGITS);
  if (signedBy === null || says === null) return ['', '?', '', '', commit, 'NO', why ?? ''];
  const { entry, kind, at, actor, subject } = says;
  const text = subject.slice(subject.indexOf(': ') + 2);
  const fork = says.forkedFrom === null || text.includes('forked from') ? '' : ` (a fork of ${says.forkedFrom})`;
  return [`#${entry.n}`, kind, at, actor, commit, 'yes', printable(text + fork)];
}
