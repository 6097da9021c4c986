/** Everything that the parts of the GitHub of our tests share, and the events that changes of its state send out. */
import { type CommitInfo, commitsBetween, isAncestor } from './bare.ts';
import type { Contract } from './contract.ts';
import { fill, type Json } from './filler.ts';
import { createHook, type Hook, type HookArgs } from './hooks.ts';
import type { Account, Comment, Issue, Pull, Repo, Review, World } from './state.ts';
import { type Bases, createViews, type Views } from './views.ts';

export interface Site {
  readonly world: World;
  readonly contract: Contract;
  readonly bases: Bases;
  readonly views: Views;
  readonly hooks: Hook[];
  readonly events: Events;
}

type Events = ReturnType<typeof createEvents>;

const NOWHERE = '0'.repeat(40);

export function createSite({ world, contract, bases }: Pick<Site, 'world' | 'contract' | 'bases'>): Site {
  const views = createViews(bases);
  const hooks: Hook[] = [];
  return { world, contract, bases, views, hooks, events: createEvents({ contract, views, hooks }) };
}

/** A new receiver; it gets a ping, as on GitHub. */
export function addHook(site: Site, args: HookArgs): Hook {
  const hook = createHook(args, site.world.nextId());
  site.hooks.push(hook);
  if (args.repo !== null) site.events.ping(args.repo, hook);
  return hook;
}

function createEvents({ contract, views, hooks }: Pick<Site, 'contract' | 'views' | 'hooks'>) {
  const filled = (name: string, value: Json) => fill(contract.component(name), value, contract.resolve) as Json;
  const organization = (it: Account): Json => {
    const { login, id, node_id: node, url, avatar_url: avatar } = views.user(it);
    const lists = ['hooks', 'issues', 'members', 'public_members', 'repos', 'events'];
    const urls = Object.fromEntries(lists.map((name) => [`${name}_url`, `${String(url)}/${name}`]));
    return { login, id, node_id: node, url, avatar_url: avatar, description: null, ...urls };
  };
  const user = (it: Account) => filled('simple-user', views.user(it));
  const repository = (it: Repo) => filled('repository', views.shortRepo(it));
  const pull = (it: Pull) => filled('pull-request', views.pullDetails(it));

  function send(event: string, repo: Repo, by: Account, payload: Json): void {
    const org = repo.owner.type === 'Organization' ? { organization: organization(repo.owner) } : {};
    const whole = { repository: repository(repo), ...payload, ...org, sender: user(by) };
    for (const hook of hooks) if (hook.args.hears(repo)) hook.take(event, whole);
  }

  return {
    ping(repo: Repo, hook: Hook): void {
      const config = { content_type: 'json', insecure_ssl: '0', url: hook.url };
      const events = hook.args.events ?? ['*'];
      const url = `${views.repoApi(repo)}/hooks/${hook.id}`;
      const urls = { url, test_url: `${url}/test`, ping_url: `${url}/pings` };
      const times = { created_at: repo.createdAt, updated_at: repo.createdAt };
      const about = { type: 'Repository', id: hook.id, name: 'web', active: true, events, config, ...urls, ...times };
      const payload = { zen: 'Keep it logically awesome.', hook_id: hook.id, hook: about };
      hook.take('ping', { ...payload, repository: repository(repo), sender: user(repo.owner) });
    },

    /** A ref was made (`before` null), moved, or removed (`after` null). */
    async push(repo: Repo, by: Account, ref: string, before: string | null, after: string | null): Promise<void> {
      const commits = after === null ? [] : await commitsBetween(repo.dir, before, after).catch(() => []);
      const forced = before !== null && after !== null && !(await isAncestor(repo.dir, before, after));
      const shown = commits.map((it) => pushedCommit(it, views.repoWeb(repo)));
      // Only here the repository has other names besides, its owner too, and times in seconds.
      const owner = { ...user(repo.owner), name: repo.owner.login, email: null };
      const seconds = Math.floor(Date.parse(repo.createdAt) / 1000);
      const more = { owner, stargazers: 0, master_branch: repo.defaultBranch, created_at: seconds, pushed_at: seconds };
      send('push', repo, by, {
        repository: { ...repository(repo), ...more },
        ref,
        before: before ?? NOWHERE,
        after: after ?? NOWHERE,
        created: before === null,
        deleted: after === null,
        forced,
        base_ref: null,
        compare: `${views.repoWeb(repo)}/compare/${before ?? ''}...${after ?? ''}`,
        commits: shown,
        head_commit: shown.at(-1) ?? null,
        pusher: { name: by.login, email: `${by.id}+${by.login}@users.noreply.github.test` },
      });
    },

    pull(action: string, it: Pull, by: Account, more: Json = {}): void {
      send('pull_request', it.repo, by, { action, number: it.number, pull_request: pull(it), ...more });
    },

    labelled(action: 'labeled' | 'unlabeled', it: Pull, by: Account, name: string): void {
      this.pull(action, it, by, { label: filled('label', views.label(it, name, it.labels.indexOf(name))) });
    },

    issue(action: string, it: Issue, by: Account): void {
      send('issues', it.repo, by, { action, issue: filled('issue', views.issue(it)) });
    },

    comment(action: 'created' | 'edited' | 'deleted', it: Comment, by: Account, more: Json = {}): void {
      const issue = filled('issue', views.issue(it.issue));
      const comment = filled('issue-comment', views.comment(it));
      send('issue_comment', it.issue.repo, by, { action, ...more, issue, comment });
    },

    review(action: 'submitted' | 'dismissed' | 'edited', it: Review, of: Pull, by: Account): void {
      const view = filled('pull-request-review', views.review(it, of));
      // Deliveries say it in small letters, the API in capitals.
      const review = { ...view, state: it.state.toLowerCase() };
      send('pull_request_review', of.repo, by, { action, review, pull_request: pull(of) });
    },
  };
}

function pushedCommit(it: CommitInfo, web: string): Json {
  return {
    id: it.sha,
    tree_id: it.tree,
    distinct: true,
    message: it.message,
    timestamp: it.date,
    url: `${web}/commit/${it.sha}`,
    author: it.author,
    committer: it.committer,
    added: [],
    removed: [],
    modified: [],
  };
}
