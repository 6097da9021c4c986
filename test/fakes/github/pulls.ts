/** What people do with pull requests and issues; asked by the API and by tests alike. */
import { isAncestor, MERGES, type MergeMethod, type Person, setRef } from './bare.ts';
import { closeIt, keepHead, refsChanged, testMerge } from './refs.ts';
import type { Site } from './site.ts';
import {
  type Account,
  type Issue,
  isPull,
  type Pull,
  Refusal,
  type Repo,
  type Review,
  type ReviewState,
} from './state.ts';

export interface OpenArgs {
  readonly repo: Repo;
  readonly headRepo: Repo;
  readonly headBranch: string;
  readonly base: string;
  readonly title: string;
  readonly body: string | null;
  readonly draft: boolean;
  readonly by: Account;
}

/** How an account signs commits. */
export function personOf({ id, login }: Account): Person {
  return { name: login, email: `${id}+${login}@users.noreply.github.test` };
}

/** What GitHub says about a field it does not take. */
export function invalid(resource: string, field: string, message?: string): Refusal {
  const error = message === undefined ? { code: 'invalid' } : { code: 'custom', message };
  return new Refusal(422, 'Validation Failed', [{ resource, field, ...error }]);
}

function newIssue({ world }: Site, repo: Repo, by: Account) {
  const now = world.nowText();
  const number = repo.issues.size + 1;
  const common = { id: world.nextId(), number, repo, author: by, labels: [], createdAt: now, updatedAt: now };
  return { ...common, state: 'open' as const, closedAt: null };
}

export function openIssue(
  site: Site,
  repo: Repo,
  { title, body, by }: { title: string; body: string; by: Account },
): Issue {
  const issue: Issue = { ...newIssue(site, repo, by), title, body, pull: null };
  repo.issues.set(issue.number, issue);
  site.events.issue('opened', issue, by);
  return issue;
}

export async function openPull(site: Site, args: OpenArgs): Promise<Pull> {
  const { repo, headRepo, headBranch, base, title, body, draft, by } = args;
  const headSha = headRepo.refs.get(`refs/heads/${headBranch}`);
  const baseSha = repo.refs.get(`refs/heads/${base}`);
  if (headSha === undefined) throw invalid('PullRequest', 'head');
  if (baseSha === undefined) throw invalid('PullRequest', 'base');
  const same = pullsOf(repo).find(
    (it) =>
      it.state === 'open' &&
      it.pull.headRepo === headRepo &&
      it.pull.headBranch === headBranch &&
      it.pull.baseBranch === base,
  );
  if (same !== undefined)
    throw invalid('PullRequest', 'head', `A pull request already exists for ${headRepo.owner.login}:${headBranch}.`);
  if (headRepo === repo && (await isAncestor(repo.dir, headSha, baseSha)))
    throw invalid('PullRequest', 'head', `No commits between ${base} and ${headBranch}`);
  const pull: Pull = {
    ...newIssue(site, repo, by),
    title,
    body,
    pull: {
      id: site.world.nextId(),
      draft,
      headRepo,
      headBranch,
      headSha,
      baseBranch: base,
      baseSha,
      mergeable: null,
      mergeCommitSha: null,
      mergedAt: null,
      mergedBy: null,
      reviews: [],
    },
  };
  repo.issues.set(pull.number, pull);
  await keepHead(pull);
  await testMerge(pull);
  site.events.pull('opened', pull, by);
  return pull;
}

export function pullsOf(repo: Repo): Pull[] {
  return [...repo.issues.values()].filter(isPull);
}

/** @throws 404 for one that is not there */
export function pullOf(repo: Repo, number: number): Pull {
  const found = repo.issues.get(number);
  if (found === undefined || !isPull(found)) throw new Refusal(404, 'Not Found');
  return found;
}

export function closePull(site: Site, it: Pull, by: Account): void {
  if (it.state === 'open') closeIt(site, it, by);
}

export async function reopenPull(site: Site, it: Pull, by: Account): Promise<void> {
  if (it.state === 'open') return;
  if (it.pull.mergedAt !== null) throw invalid('PullRequest', 'state', 'state cannot be changed. It is merged.');
  const head = it.pull.headRepo.deleted ? undefined : it.pull.headRepo.refs.get(`refs/heads/${it.pull.headBranch}`);
  if (head === undefined)
    throw invalid(
      'PullRequest',
      'state',
      `state cannot be changed. The ${it.pull.headBranch} branch has been deleted.`,
    );
  it.state = 'open';
  it.closedAt = null;
  it.updatedAt = site.world.nowText();
  it.pull.headSha = head;
  await keepHead(it);
  await testMerge(it);
  site.events.pull('reopened', it, by);
}

export interface Edit {
  readonly title?: string;
  readonly body?: string;
  readonly base?: string;
}

export async function editPull(site: Site, it: Pull, { title, body, base }: Edit, by: Account): Promise<void> {
  const changes: Record<string, unknown> = {};
  if (title !== undefined && title !== it.title) {
    changes['title'] = { from: it.title };
    it.title = title;
  }
  if (body !== undefined && body !== it.body) {
    changes['body'] = { from: it.body };
    it.body = body;
  }
  if (base !== undefined && base !== it.pull.baseBranch) {
    const tip = it.repo.refs.get(`refs/heads/${base}`);
    if (tip === undefined) throw invalid('PullRequest', 'base');
    changes['base'] = { ref: { from: it.pull.baseBranch }, sha: { from: it.pull.baseSha } };
    it.pull.baseBranch = base;
    it.pull.baseSha = tip;
    await testMerge(it);
  }
  if (Object.keys(changes).length === 0) return;
  it.updatedAt = site.world.nowText();
  site.events.pull('edited', it, by, { changes });
}

export function setDraft(site: Site, it: Pull, draft: boolean, by: Account): void {
  if (it.pull.draft === draft) return;
  it.pull.draft = draft;
  it.updatedAt = site.world.nowText();
  site.events.pull(draft ? 'converted_to_draft' : 'ready_for_review', it, by);
}

export function addLabel(site: Site, it: Issue, name: string, by: Account): void {
  if (it.labels.includes(name)) return;
  it.labels.push(name);
  it.updatedAt = site.world.nowText();
  if (isPull(it)) site.events.labelled('labeled', it, by, name);
}

export function removeLabel(site: Site, it: Issue, name: string, by: Account): void {
  if (!it.labels.includes(name)) throw new Refusal(404, 'Label does not exist');
  it.labels = it.labels.filter((other) => other !== name);
  it.updatedAt = site.world.nowText();
  if (isPull(it)) site.events.labelled('unlabeled', it, by, name);
}

export function addReview(
  site: Site,
  it: Pull,
  state: Exclude<ReviewState, 'DISMISSED'>,
  body: string,
  by: Account,
): Review {
  if (by.id === it.author.id && state !== 'COMMENTED')
    throw invalid('PullRequestReview', 'event', 'Can not approve your own pull request');
  const review = {
    id: site.world.nextId(),
    author: by,
    body,
    commit: it.pull.headSha,
    submittedAt: site.world.nowText(),
    state,
  };
  it.pull.reviews.push(review);
  it.updatedAt = review.submittedAt;
  site.events.review('submitted', review, it, by);
  return review;
}

export function dismissReview(site: Site, it: Pull, review: Review, by: Account): void {
  review.state = 'DISMISSED';
  it.updatedAt = site.world.nowText();
  site.events.review('dismissed', review, it, by);
}

export interface MergeRequest {
  readonly method: MergeMethod;
  readonly title?: string;
  /** Refused when the head is another one meanwhile. */
  readonly sha?: string;
}

/** The commit that the base is at afterwards. */
export async function mergePull(
  site: Site,
  it: Pull,
  { method, title, sha }: MergeRequest,
  by: Account,
): Promise<string> {
  const { repo, pull } = it;
  if (it.state !== 'open' || pull.draft) throw new Refusal(405, 'Pull Request is not mergeable');
  if (sha !== undefined && sha !== pull.headSha)
    throw new Refusal(409, 'Head branch was modified. Review and try the merge again.');
  const ref = `refs/heads/${pull.baseBranch}`;
  const base = repo.refs.get(ref) ?? pull.baseSha;
  const message =
    title ??
    (method === 'merge'
      ? `Merge pull request #${it.number} from ${pull.headBranch}\n\n${it.title}`
      : `${it.title} (#${it.number})`);
  const made = await MERGES[method](repo.dir, { base, head: pull.headSha, message, by: personOf(by) });
  if (made === null) throw new Refusal(405, 'Pull Request is not mergeable');
  await setRef(repo.dir, ref, made);
  it.state = 'closed';
  pull.mergeCommitSha = made;
  pull.mergedAt = site.world.nowText();
  pull.mergedBy = by;
  await refsChanged(site, repo, by);
  closeIt(site, it, by);
  return made;
}
