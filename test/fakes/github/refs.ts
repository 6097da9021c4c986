/** What GitHub does when branches moved, whoever moved them: a push event, and pull requests follow their branches. */
import { fetchInto, git, isAncestor, mergeCommit, refsOf, setRef } from './bare.ts';
import type { Site } from './site.ts';
import { type Account, isPull, type Pull, type Repo } from './state.ts';

/** Looks what differs from last time and carries the consequences out, in the order of the names of refs. */
export async function refsChanged(site: Site, repo: Repo, by: Account): Promise<void> {
  const now = await refsOf(repo.dir);
  const names = [...new Set([...repo.refs.keys(), ...now.keys()])].toSorted();
  const changes = names
    .map((ref) => ({ ref, before: repo.refs.get(ref) ?? null, after: now.get(ref) ?? null }))
    .filter(({ before, after }) => before !== after);
  repo.refs.clear();
  for (const [name, revision] of now) repo.refs.set(name, revision);
  for (const { ref, before, after } of changes) {
    // Refs of programs, such as refs/slipway/*, are pushed without an event.
    if (!/^refs\/(heads|tags)\//.test(ref)) continue;
    await site.events.push(repo, by, ref, before, after);
    if (ref.startsWith('refs/heads/')) await branchMoved(site, repo, ref.slice('refs/heads/'.length), after, by);
  }
}

async function branchMoved(site: Site, repo: Repo, branch: string, after: string | null, by: Account): Promise<void> {
  const open = openPulls(site);
  for (const it of open.filter(({ pull }) => pull.headRepo === repo && pull.headBranch === branch)) {
    if (after === null) closeIt(site, it, by);
    else await synchronize(site, it, after, by);
  }
  for (const it of open.filter(({ pull, repo: base }) => base === repo && pull.baseBranch === branch)) {
    if (after === null) closeIt(site, it, by);
    else await baseMoved(site, it, after, by);
  }
}

function openPulls({ world }: Site): Pull[] {
  return world.repos.flatMap((it) => [...it.issues.values()].filter(isPull)).filter((it) => it.state === 'open');
}

async function synchronize(site: Site, it: Pull, after: string, by: Account): Promise<void> {
  const before = it.pull.headSha;
  if (before === after) return;
  it.pull.headSha = after;
  it.pull.baseSha = it.repo.refs.get(`refs/heads/${it.pull.baseBranch}`) ?? it.pull.baseSha;
  it.updatedAt = site.world.nowText();
  await keepHead(it);
  await testMerge(it);
  site.events.pull('synchronize', it, by, { before, after });
}

/** A push that brings the head into the base merges the pull request, however it was made. */
async function baseMoved(site: Site, it: Pull, tip: string, by: Account): Promise<void> {
  if (it.state !== 'open') return;
  if (!(await isAncestor(it.repo.dir, it.pull.headSha, tip))) return await testMerge(it);
  it.pull.mergeCommitSha = await broughtBy(it.repo.dir, it.pull.headSha, it.pull.baseSha, tip);
  it.pull.mergedAt = site.world.nowText();
  it.pull.mergedBy = by;
  closeIt(site, it, by);
}

/** The merge among the new commits that has the head as a parent, else the head itself. */
async function broughtBy(dir: string, head: string, base: string, tip: string): Promise<string> {
  const text = await git(dir, ['rev-list', '--merges', '--parents', tip, `^${base}`, '--']);
  const lines = text.split('\n').map((it) => it.split(' '));
  return lines.find(([, ...parents]) => parents.includes(head))?.[0] ?? head;
}

export function closeIt(site: Site, it: Pull, by: Account): void {
  it.state = 'closed';
  it.closedAt = site.world.nowText();
  it.updatedAt = it.closedAt;
  site.events.pull('closed', it, by);
}

/** refs/pull/N/head is the head, also when it lies in a fork. */
export async function keepHead(it: Pull): Promise<void> {
  await fetchInto(it.repo.dir, it.pull.headRepo.dir, it.pull.headSha, `refs/pull/${it.number}/head`);
}

/** refs/pull/N/merge is what the merge would give; it goes away when there is a conflict. */
export async function testMerge(it: Pull): Promise<void> {
  const { dir, refs } = it.repo;
  const base = refs.get(`refs/heads/${it.pull.baseBranch}`) ?? it.pull.baseSha;
  const message = `Merge ${it.pull.headSha} into ${base}`;
  const by = { name: 'GitHub', email: 'noreply@github.test' };
  const made = await mergeCommit(dir, { base, head: it.pull.headSha, message, by });
  it.pull.mergeable = made !== null;
  it.pull.mergeCommitSha = made;
  await setRef(dir, `refs/pull/${it.number}/merge`, made).catch(() => undefined);
}
