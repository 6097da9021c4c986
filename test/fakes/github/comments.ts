/** What people do with comments; asked by the API and by tests alike. */
import type { Site } from './site.ts';
import type { Account, Comment, Issue } from './state.ts';

export function addComment(site: Site, issue: Issue, by: Account, body: string): Comment {
  const now = site.world.nowText();
  const comment: Comment = {
    id: site.world.nextId(),
    issue,
    author: by,
    body,
    createdAt: now,
    updatedAt: now,
    reactions: [],
  };
  issue.repo.comments.set(comment.id, comment);
  issue.updatedAt = now;
  site.events.comment('created', comment, by);
  return comment;
}

/** An edit shows in the comment; the pull request does not count as updated. */
export function editComment(site: Site, it: Comment, by: Account, body: string): void {
  const from = it.body;
  it.body = body;
  it.updatedAt = site.world.nowText();
  site.events.comment('edited', it, by, { changes: { body: { from } } });
}

export function deleteComment(site: Site, it: Comment, by: Account): void {
  it.issue.repo.comments.delete(it.id);
  site.events.comment('deleted', it, by);
}
