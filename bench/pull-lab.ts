/**
 * An installation that follows a repository on the GitHub of the tests, which runs in this process: API, git over HTTP
 * and signed webhooks. The controller is the built one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Github, startGithub } from '../test/fakes/github/github.ts';
import type { Hook } from '../test/fakes/github/hooks.ts';
import type { Repository } from '../test/fakes/github/repository.ts';
import { freePort, type Host, startHost } from '../test/lab/host.ts';
import { type RunningCommand, startCommand } from '../test/lab/running-command.ts';

export interface PullLab {
  readonly github: Github;
  readonly fleet: Repository;
  readonly host: Host;
  readonly controller: RunningCommand;
  /**
   * Does something on GitHub, and then sends the webhooks that tell of it. Gives what it gave, and when the first
   * delivery was sent, by `performance.now()`: what the server of the tests does itself is not counted.
   */
  tell<T>(act: () => Promise<T>): Promise<{ readonly value: T; readonly sentAtMs: number }>;
  /** Commits to the tracked branch, and waits until it is live. */
  deploy(files: Readonly<Record<string, string>>): Promise<void>;
  close(): Promise<void>;
}

export interface PullLabArgs {
  readonly files: Readonly<Record<string, string>>;
  /** Added to what every part of the installation is started with. */
  readonly env?: Record<string, string>;
}

const FLEET = 'acme/fleet';
const HOOK_SECRET = 'what GitHub and we know';
const LIVE = /: release #\d+ is live/;
const LIVE_WITHIN_MS = 300_000;
const PAUSE_MS = 2;

/** People `alice`, who opens pull requests, and `slipway-bot`, who we are. */
export async function startPullLab({ files, env = {} }: PullLabArgs): Promise<PullLab> {
  const endings: (() => Promise<unknown>)[] = [];
  const close = async () => {
    const failures: unknown[] = [];
    for (const end of endings.splice(0).toReversed()) await end().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, 'not everything could be ended');
  };
  try {
    const github = await startGithub();
    endings.push(() => github.close());
    for (const login of ['alice', 'slipway-bot']) github.user(login);
    const fleet = await github.repository(FLEET, { collaborators: { alice: 'write', 'slipway-bot': 'write' }, files });
    const host = await startHost({ env });
    endings.push(() => host.destroy());
    const hookPort = await freePort();
    const hook = fleet.hook({ url: `http://127.0.0.1:${hookPort}/hooks/github`, secret: HOOK_SECRET });
    const controller = startCommand(host, ['up', '--repo', github.gitUrl(FLEET), '--hook-port', String(hookPort)], {
      SLIPWAY_FORGE: 'github',
      SLIPWAY_FORGE_API: github.apiUrl,
      SLIPWAY_FORGE_TOKEN: github.classicToken('slipway-bot'),
      SLIPWAY_HOOK_SECRETS: HOOK_SECRET,
    });
    endings.push(() => controller.interrupt());
    await controller.saw('pull requests of ');
    return {
      github,
      fleet,
      host,
      controller,
      tell: (act) => tell(hook, act),
      async deploy(changed) {
        controller.skip();
        await fleet.commit('main', changed);
        await controller.saw(LIVE, LIVE_WITHIN_MS);
      },
      close,
    };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

async function tell<T>(hook: Hook, act: () => Promise<T>): Promise<{ value: T; sentAtMs: number }> {
  await hook.settled();
  hook.mode = 'hold';
  const value = await act();
  hook.mode = 'send';
  const sentAtMs = performance.now();
  await hook.release();
  return { value, sentAtMs };
}

/** Looks again and again; gives when it was so, by `performance.now()`. @throws after `withinMs` */
export async function seen(
  what: string,
  look: () => boolean | Promise<boolean>,
  { signal, withinMs = 60_000 }: { readonly signal: AbortSignal; readonly withinMs?: number },
): Promise<number> {
  const endMs = performance.now() + withinMs;
  while (!(await look())) {
    if (performance.now() > endMs) throw new Error(`${what} did not come within ${withinMs / 1_000} s`);
    await sleep(PAUSE_MS, undefined, { signal });
  }
  return performance.now();
}
