/** Operations on comments and on reactions to them. */
import { addComment, deleteComment, editComment } from '../comments.ts';
import { addLabel, removeLabel } from '../pulls.ts';
import { atLeast, type Comment, levelOf, Refusal } from '../state.ts';
import { demandBody, type Handler, inRepo, must, numberOf, type RepoCall } from './call.ts';

const commentOf = (call: RepoCall) => must(call.repo.comments.get(numberOf(call, 'comment_id')));
const issueOf = (call: RepoCall) => must(call.repo.issues.get(numberOf(call, 'issue_number')));
const bodyOf = (call: RepoCall) => (call.body as { body: string }).body;
const byCreation = (a: Comment, b: Comment) => a.id - b.id;

/** Updated at that time or later. */
function since(call: RepoCall, all: readonly Comment[]): Comment[] {
  const limit = Date.parse(call.query.get('since') ?? '1970-01-01T00:00:00Z');
  return all.filter((it) => Date.parse(it.updatedAt) >= limit);
}

function demandOwn({ credential, repo, by }: RepoCall, comment: Comment): void {
  if (comment.author.id === by.id) return;
  if (credential.kind !== 'installation' && atLeast(levelOf(repo, by), 'write')) return;
  if (credential.kind === 'installation') return;
  throw new Refusal(403, 'Must have admin rights to Repository.');
}

export const COMMENTS = {
  'issues/get': inRepo((call) => ({ status: 200, body: call.views.issue(issueOf(call)) })),

  'issues/add-labels': inRepo((call) => {
    const issue = issueOf(call);
    const given = call.body as { labels?: (string | { name: string })[] } | (string | { name: string })[];
    const names = (Array.isArray(given) ? given : (given.labels ?? [])).map((it) =>
      typeof it === 'string' ? it : it.name,
    );
    for (const name of names) addLabel(call.site, issue, name, call.by);
    return { status: 200, list: issue.labels.map((name, at) => call.views.label(issue, name, at)) };
  }),

  'issues/remove-label': inRepo((call) => {
    const issue = issueOf(call);
    removeLabel(call.site, issue, call.path['name'] ?? '', call.by);
    return { status: 200, list: issue.labels.map((name, at) => call.views.label(issue, name, at)) };
  }),

  'issues/list-comments': inRepo((call) => {
    const issue = issueOf(call);
    const all = [...call.repo.comments.values()].filter((it) => it.issue === issue).toSorted(byCreation);
    return { status: 200, list: since(call, all).map(call.views.comment) };
  }),

  'issues/list-comments-for-repo': inRepo((call) => {
    const all = since(call, [...call.repo.comments.values()]).toSorted(byCreation);
    const sort = call.query.get('sort');
    if (sort === 'updated') all.sort((a, b) => a.updatedAt.localeCompare(b.updatedAt) || a.id - b.id);
    // Without a sort the direction is ignored.
    const descending = sort !== null && call.query.get('direction') !== 'asc';
    return { status: 200, list: (descending ? all.toReversed() : all).map(call.views.comment) };
  }),

  'issues/get-comment': inRepo((call) => ({ status: 200, body: call.views.comment(commentOf(call)) })),

  'issues/create-comment': inRepo((call) => {
    demandBody('IssueComment', bodyOf(call));
    if (bodyOf(call).trim() === '')
      throw new Refusal(422, 'Validation Failed', [{ resource: 'IssueComment', code: 'missing_field', field: 'body' }]);
    return { status: 201, body: call.views.comment(addComment(call.site, issueOf(call), call.by, bodyOf(call))) };
  }),

  'issues/update-comment': inRepo((call) => {
    const comment = commentOf(call);
    demandOwn(call, comment);
    demandBody('IssueComment', bodyOf(call));
    editComment(call.site, comment, call.by, bodyOf(call));
    return { status: 200, body: call.views.comment(comment) };
  }),

  'issues/delete-comment': inRepo((call) => {
    const comment = commentOf(call);
    demandOwn(call, comment);
    deleteComment(call.site, comment, call.by);
    return { status: 204 };
  }),

  'reactions/create-for-issue-comment': inRepo((call) => {
    const { reactions } = commentOf(call);
    const { content } = call.body as { content: string };
    const old = reactions.find((it) => it.author.id === call.by.id && it.content === content);
    if (old !== undefined) return { status: 200, body: call.views.reaction(old) };
    const made = { id: call.site.world.nextId(), author: call.by, content, at: call.site.world.nowText() };
    reactions.push(made);
    return { status: 201, body: call.views.reaction(made) };
  }),

  'reactions/list-for-issue-comment': inRepo((call) => {
    const content = call.query.get('content');
    const found = commentOf(call).reactions.filter((it) => content === null || it.content === content);
    return { status: 200, list: found.map(call.views.reaction) };
  }),

  'reactions/delete-for-issue-comment': inRepo((call) => {
    const { reactions } = commentOf(call);
    const at = reactions.findIndex((it) => it.id === numberOf(call, 'reaction_id'));
    if (at === -1) throw new Refusal(404, 'Not Found');
    if (reactions[at]?.author.id !== call.by.id) throw new Refusal(403, 'Must have admin rights to Repository.');
    reactions.splice(at, 1);
    return { status: 204 };
  }),
} satisfies Record<string, Handler>;
