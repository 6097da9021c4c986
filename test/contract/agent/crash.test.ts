/** The agent dies at every single point of a deploy; the next agent and the executor's repeated steps set it right. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StepAction } from '../../../schemas/step.ts';
import { deployId } from '../../builders/release.ts';
import { image, serviceSpec } from '../../builders/service.ts';
import { type AgentWorld, createAgentWorld, eventually, execReadiness } from '../../fakes/agent-world.ts';

const first = deployId(1);
const second = deployId(2);
const web = serviceSpec({
  readiness: execReadiness(),
  routes: [{ kind: 'http', hostname: 'web.test', pathPrefix: '/', port: 8080 }],
});
const next = serviceSpec({ ...web, template: { ...web.template, image: image('b') } });

let world: AgentWorld;
beforeEach(() => {
  world = createAgentWorld();
});
afterEach(() => world.remove());

const start = (): StepAction => ({ verb: 'start', order: { row: world.row(next, second), spec: next } });
const swap = (): StepAction => ({
  verb: 'swap',
  stops: [world.row(web, first)],
  starts: [{ row: world.row(next, second), spec: next }],
  deadlineMs: 5000,
});
const serving = () => world.table().backends.flatMap((it) => it.endpoints).length;

/** Points of the deploy, each with how often it came before. */
interface Crash {
  readonly at: number;
  readonly point: string;
  count: number;
}

/** From here on every point, and so every write and every call, throws: nothing that comes later has an effect. */
function dying(crash: Crash) {
  return (point: string) => {
    crash.count += 1;
    if (crash.count > crash.at) throw new Error(`dead since ${crash.point}`);
    if (crash.count === crash.at) Object.assign(crash, { point });
  };
}

/** Sends until it is answered by an agent that lives, or until the agent is dead. */
async function until(action: StepAction, crash: Crash): Promise<void> {
  for (let tries = 0; tries < 400 && crash.count <= crash.at; tries += 1) {
    const reply = await world.send(action, { deploy: second }).catch(() => null);
    if (reply !== null && reply.state !== 'accepted') return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Runs the deploy with an agent that dies at point `at`, then with one that lives. */
async function crashAt(at: number, prepare: () => StepAction, end: 'release' | 'void') {
  await world.boot();
  await world.deploy([web], first);
  world.offer(next);
  await world.shutdown();
  const crash: Crash = { at, point: '', count: 0 };
  const surprises: string[] = [];
  const onRejection = (error: unknown) => {
    if (!String(error).includes('dead since')) surprises.push(String(error));
  };
  process.on('unhandledRejection', onRejection);
  await world.boot(dying(crash));
  await until(prepare(), crash);
  let n = 0;
  if (crash.count <= at && end === 'release') {
    n = (await world.commit([next], { deploy: second })).n;
    for (const verb of ['apply', 'retire', 'close'] as const) await until({ verb, n }, crash);
  }
  const died = crash.count > at;
  await world.shutdown();
  const runningAtDeath = world.engine.runningOf('web.0');

  await world.boot();
  const replies: string[] = [];
  const ask = async (action: StepAction) => replies.push((await world.ask(action, { deploy: second })).state);
  // As an executor that lost its agent goes on: the same steps again.
  if (n === 0 && end === 'release') {
    await ask(prepare());
    n = (await world.commit([next], { deploy: second })).n;
  }
  if (end === 'void') n = await world.voidDeploy(second);
  for (const verb of end === 'void' ? (['close'] as const) : (['apply', 'retire', 'close'] as const)) {
    await ask({ verb, n });
  }
  await eventually(() => serving() === 1).catch(() => surprises.push('nothing serves'));
  process.off('unhandledRejection', onRejection);
  const { open, swaps } = world.journal().view('production');
  return {
    died,
    point: crash.point,
    runningAtDeath,
    end: {
      replies: [...new Set(replies)],
      containers: Object.entries(world.engine.states()).map(([name, state]) => `${name.slice(-16)} ${state}`),
      open,
      swaps,
      surprises,
    },
  };
}

describe.each([
  // Start-first: never none.
  ['start', start, [1, 2]],
  // Stop-first: never both.
  ['swap', swap, [0, 1]],
] as const)('%s', (_, prepare, mayRunAtDeath) => {
  it.each(['release', 'void'] as const)('then %s', { timeout: 120_000 }, async (ending) => {
    const containers = [`${ending === 'void' ? first : second} running`];
    let at = 0;
    for (let died = true; died; ) {
      at += 1;
      const outcome = await crashAt(at, prepare, ending);
      died = outcome.died;
      expect({ point: outcome.point, ...outcome.end }).toEqual({
        point: outcome.point,
        replies: ['done'],
        containers,
        open: {},
        swaps: [],
        surprises: [],
      });
      expect(mayRunAtDeath).toContain(outcome.runningAtDeath);
      await world.remove();
      world = createAgentWorld();
    }
    // Fewer points than a deploy has would mean that nothing was tried.
    expect(at).toBeGreaterThan(ending === 'void' ? 10 : 20);
  });
});
