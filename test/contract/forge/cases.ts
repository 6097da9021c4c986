/** Cases that hold against every GitHub: the one of the tests, and with FORGE_LIVE=1 a real repository. */
import { expect } from 'vitest';
import type { EnvironmentArgs } from '../../../controller/forge/port.ts';
import type { Bench } from './bench.ts';

const MARKER = '<!-- slipway contract -->';
const signal = () => AbortSignal.timeout(120_000);

const commentsOf = async ({ api, place }: Bench, issue_number: number) =>
  (await api.issues.listComments({ ...place, issue_number })).data;

/** Name → case. Each makes what it needs. */
export const CASES: Readonly<Record<string, (bench: Bench) => Promise<void>>> = {
  'says who it is, and where the repository is': async ({ forge, api, place }) => {
    const { data } = await api.repos.get(place);
    expect(await forge.identity(signal())).toMatchObject({ repositoryId: data.id, webUrl: data.html_url });
  },

  'reads a pull request': async (bench) => {
    const { number, branch, revision } = await bench.newPull('read');
    const pull = await bench.forge.getPull(number, signal());
    expect(pull).toMatchObject({ number, state: 'open', mergeCommit: null, head: { branch, revision } });
    expect(pull?.head.repositoryId).toBe(pull?.base.repositoryId);
    expect(await bench.forge.getPull(99_999_999, signal())).toBeNull();
  },

  'lists open pull requests, and closed ones since a time': async (bench) => {
    const [open, closed] = [await bench.newPull('stays-open'), await bench.newPull('gets-closed')];
    const before = (await bench.forge.getPull(open.number, signal()))?.updatedAt ?? '';
    await bench.api.pulls.update({ ...bench.place, pull_number: closed.number, state: 'closed' });
    const numbers = async (since: string | null) =>
      (await bench.forge.listPulls(since, signal())).map((it) => `${it.number} ${it.state}`);
    expect(await numbers(before)).toEqual(expect.arrayContaining([`${open.number} open`, `${closed.number} closed`]));
    expect(await numbers(null)).not.toContain(`${closed.number} closed`);
  },

  'makes one comment, edits it in place, and makes it again when it was deleted': async (bench) => {
    const { forge, api, place } = bench;
    const { number } = await bench.newPull('comment');
    const say = (body: string, known: Parameters<typeof forge.ensureComment>[0]['known']) =>
      forge.ensureComment({ pull: number, marker: MARKER, body: `${MARKER}\n${body}`, known }, signal());
    const first = await say('one', null);
    expect(await say('one', null)).toEqual(first);
    const edited = await say('two', first);
    expect(edited).toMatchObject({ id: first.id, url: first.url });
    expect((await commentsOf(bench, number)).map((it) => it.body)).toEqual([`${MARKER}\ntwo`]);
    await api.issues.deleteComment({ ...place, comment_id: first.id });
    const again = await say('two', edited);
    expect(again.id).not.toBe(first.id);
    expect(await commentsOf(bench, number)).toHaveLength(1);
  },

  'puts right what somebody else made of our comment': async (bench) => {
    const { forge, api, place } = bench;
    const { number } = await bench.newPull('edited');
    const wanted = { pull: number, marker: MARKER, body: `${MARKER}\nplan` };
    const known = await forge.ensureComment({ ...wanted, known: null }, signal());
    await api.issues.updateComment({ ...place, comment_id: known.id, body: 'nothing to see' });
    expect(await forge.ensureComment({ ...wanted, known }, signal())).toEqual(known);
    expect((await commentsOf(bench, number)).map((it) => it.body)).toEqual([wanted.body]);
  },

  'reads comments, one and since a time': async (bench) => {
    const { forge, api, place } = bench;
    const { number } = await bench.newPull('talk');
    const { data } = await api.issues.createComment({ ...place, issue_number: number, body: '/slipway help' });
    expect(await forge.getComment(data.id, signal())).toMatchObject({ pull: number, body: '/slipway help' });
    const found = await forge.listComments(data.updated_at, signal());
    expect(found.find((it) => it.id === data.id)).toMatchObject({ pull: number, author: { id: data.user?.id } });
    expect(await forge.getComment(999_999_999_999, signal())).toBeNull();
  },

  'reacts to a command, once a kind': async (bench) => {
    const { forge, api, place } = bench;
    const { number } = await bench.newPull('react');
    const { data } = await api.issues.createComment({ ...place, issue_number: number, body: '/slipway plan' });
    for (const reaction of ['seen', 'seen', 'done', 'failed'] as const) await forge.react(data.id, reaction, signal());
    const found = await api.reactions.listForIssueComment({ ...place, comment_id: data.id });
    expect(found.data.map((it) => it.content).toSorted()).toEqual(['confused', 'eyes', 'rocket']);
  },

  'sets a status, and says nothing twice': async (bench) => {
    const { forge, api, place } = bench;
    const { revision } = await bench.newBranch('status');
    const status = { revision, context: 'slipway/contract', description: 'Plan of 2 changes', url: null };
    await forge.setStatus({ ...status, state: 'pending' }, signal());
    await forge.setStatus({ ...status, state: 'success', url: 'https://example.com/' }, signal());
    await forge.setStatus({ ...status, state: 'success', url: 'https://example.com/' }, signal());
    const { data } = await api.repos.listCommitStatusesForRef({ ...place, ref: revision });
    expect(data.map((it) => it.state)).toEqual(['success', 'pending']);
  },

  'takes statuses of any length': async (bench) => {
    const { revision } = await bench.newBranch('long-status');
    const long = { revision, state: 'failure', description: 'long 😀 '.repeat(99), url: null } as const;
    await bench.forge.setStatus({ ...long, context: `slipway/${'n'.repeat(400)}a` }, signal());
    await bench.forge.setStatus({ ...long, context: `slipway/${'n'.repeat(400)}b` }, signal());
    const { data } = await bench.api.repos.listCommitStatusesForRef({ ...bench.place, ref: revision });
    expect(new Set(data.map((it) => it.context)).size).toBe(2);
  },

  'shows a preview as a deployment of the branch, follows it, and closes it': async (bench) => {
    const { forge, api, place } = bench;
    const { branch, revision } = await bench.newPull('preview');
    const environment = `preview/${branch}`;
    const set = (state: EnvironmentArgs['state'], url: string | null) =>
      forge.setEnvironment({ environment, branch, revision, state, url, description: 'preview' }, signal());
    const states = async () => {
      const { data } = await api.repos.listDeployments({ ...place, environment });
      return await Promise.all(
        data.map(async ({ id: deployment_id, ref }) => {
          const all = await api.repos.listDeploymentStatuses({ ...place, deployment_id });
          return { ref, states: all.data.map((it) => `${it.state} ${it.environment_url ?? ''}`.trim()) };
        }),
      );
    };
    await set('in_progress', null);
    await set('success', 'https://pr.example.com/');
    await set('success', 'https://pr.example.com/');
    expect(await states()).toEqual([{ ref: branch, states: ['success https://pr.example.com/', 'in_progress'] }]);
    await set('inactive', null);
    await set('inactive', null);
    expect((await states())[0]?.states).toEqual(['inactive', 'success https://pr.example.com/', 'in_progress']);
  },

  'knows what people may do': async ({ forge, writer, stranger }) => {
    expect(['write', 'maintain', 'admin']).toContain(await forge.permission(writer, signal()));
    expect(['none', 'read']).toContain(await forge.permission(stranger, signal()));
    expect(await forge.permission('no-such-user-of-slipway-tests', signal())).toBe('none');
    expect(await forge.permission('../../..', signal())).toBe('none');
  },

  'opens a pull request for a branch, and brings it up to date': async (bench) => {
    const { forge, api, place } = bench;
    const { branch } = await bench.newBranch('promote');
    const base = (await api.repos.get(place)).data.default_branch;
    const first = await forge.ensurePull({ branch, base, title: 'Promote', body: 'web' }, signal());
    expect(await forge.ensurePull({ branch, base, title: 'Promote', body: 'web' }, signal())).toEqual(first);
    const second = await forge.ensurePull({ branch, base, title: 'Promote 2', body: 'web, db' }, signal());
    expect(second).toMatchObject({ number: first.number, title: 'Promote 2', head: { branch } });
    const { data } = await api.pulls.get({ ...place, pull_number: first.number });
    expect(data).toMatchObject({ title: 'Promote 2', body: 'web, db', state: 'open' });
    await api.pulls.update({ ...place, pull_number: first.number, state: 'closed' });
  },

  'an unchanged answer is not counted twice': async ({ forge, newPull }) => {
    const { number } = await newPull('cached');
    const first = await forge.getPull(number, signal());
    expect(await forge.getPull(number, signal())).toEqual(first);
  },
};
