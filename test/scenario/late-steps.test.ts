/** Steps that arrive late or twice, as they lay in the network: each was signed, and each is refused. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SignedStep, Step } from '../../schemas/step.ts';
import type { Store } from '../../store/port.ts';
import { webManifest, webService } from '../kill/lab.ts';
import { alive, type Host, startHost } from '../lab/host.ts';
import { ensureWebImage } from '../lab/images.ts';
import { readContainers } from '../lab/inventory.ts';
import { openStore } from '../lab/store.ts';

/** Longer than it takes to start a container. */
const LOOK_MS = 1_500;

let host: Host;
let store: Store;
let steps: readonly string[];
const sent: SignedStep[] = [];
const listening = new AbortController();

beforeAll(async () => {
  await ensureWebImage();
  host = await startHost();
  store = await openStore(host);
  steps = ['agent', host.installation.machine, 'step'];
  store.messages.subscribe(steps, (payload) => void sent.push(SignedStep.parse(payload)), listening.signal);
  for (const version of ['1', '2', '3']) await deploy(version);
});

afterAll(async () => {
  listening.abort();
  await store?.close();
  await host?.destroy();
});

async function deploy(version: string): Promise<void> {
  const file = await host.manifest('production', webManifest([webService('web', version, 'late')]));
  const ran = await host.slipway(['deploy', '-f', file]);
  if (ran.code !== 0) throw new Error(ran.stdout + ran.stderr);
}

/** The steps that were sent, once each, that start instances of this version. */
function startsOf(version: string): SignedStep[] {
  const starts = (it: SignedStep) => {
    const { action } = Step.parse(JSON.parse(it.body));
    return action.verb === 'start' && action.order.spec.template.env['VERSION'] === version;
  };
  return [...new Map(sent.filter(starts).map((it) => [it.body, it])).values()];
}

const containers = async () => (await readContainers(host)).map((it) => `${it.slot} ${it.version} ${it.state}`);

/** What the agent says to each step when it comes again now; nothing may come of it. */
async function replayed(signed: readonly SignedStep[]): Promise<unknown[]> {
  const replies: unknown[] = [];
  for (const it of signed) replies.push(await store.messages.request(steps, it, 5_000));
  await sleep(LOOK_MS);
  expect(await containers()).toEqual(['web.0 3 running']);
  return replies;
}

it('a step of a deploy that is over is refused by the fence of those that came after it', async () => {
  const late = startsOf('2');
  expect(late).toHaveLength(1);
  expect(await replayed(late)).toEqual([expect.objectContaining({ state: 'refused', code: 'FENCED' })]);
});

it('a step of the last deploy is refused as well once that is over', async () => {
  expect(await replayed(startsOf('3'))).toEqual([expect.objectContaining({ state: 'refused', code: 'CLOSED' })]);
});

it('a step that somebody else signed, or that was changed on its way, is refused', async () => {
  const [one] = startsOf('3');
  if (one === undefined) throw new Error('no step was seen');
  const changed = { ...one, body: one.body.replace('"VERSION":"3"', '"VERSION":"4"') };
  const [forged, unknown] = await replayed([changed, { ...one, keyId: 'somebody' }]);
  expect(forged).toMatchObject({ state: 'refused', code: 'UNTRUSTED' });
  expect(unknown).toMatchObject({ state: 'refused', code: 'UNTRUSTED' });
});

it('the fence is enough for an agent that has forgotten, over many deploys, that this one is over', async () => {
  const pid = await host.agentPid();
  process.kill(pid, 'SIGKILL');
  while (alive(pid)) await sleep(5);
  const journal = join(host.stateDir, 'agent/journal/namespaces/production/operations.json');
  const operations = JSON.parse(await readFile(journal, 'utf8')) as { closed: string[] };
  expect(operations.closed.length).toBeGreaterThan(0);
  await writeFile(journal, JSON.stringify({ ...operations, closed: [] }));
  await host.restartAgent();
  expect(await replayed(startsOf('2'))).toEqual([expect.objectContaining({ state: 'refused', code: 'FENCED' })]);
});
