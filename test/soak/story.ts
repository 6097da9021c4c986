/** What happens during the soak: commits, rollbacks, resumes and kills at random moments, told every half minute. */
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { GitRepo } from '../lab/git-repo.ts';
import type { Host } from '../lab/host.ts';
import { ask, type Prober } from '../lab/probe.ts';
import type { Chance } from './random.ts';
import { VICTIMS, type Victim, type Victims } from './victims.ts';
import { manifestOf, NAMESPACE, type Versions } from './workload.ts';

export interface Kill {
  readonly victim: Victim;
  /** On the clock of the prober's answers. */
  readonly atMs: number;
}

export interface Story {
  /** Follows the repository, with its first commit. */
  begin(): Promise<void>;
  /** Waits until the gateway answers with the last commit. */
  settled(): Promise<void>;
  /** Everything at once until the time is over; the last commit is made while there are still kills to come. */
  run(args: { readonly seconds: number; readonly victims: Victims; readonly prober: Prober }): Promise<void>;
  /** Of the last commit. */
  versions(): Versions;
  kills(): readonly Kill[];
  /** Prints what has been so far. */
  report(prober: Prober): Promise<void>;
}

const REPORT_MS = 30_000;
const LAST_KILLS_MS = 8_000;
const SETTLED_MS = 60_000;
const COMMAND_MS = 180_000;

export function startStory(args: { readonly host: Host; readonly repo: GitRepo; readonly chance: Chance }): Story {
  const { host, repo, chance } = args;
  const kills: Kill[] = [];
  const commands = new Map<string, number>();
  let commits = 0;
  let versions: Versions = { web: 1, store: 1, job: 1 };
  const began = performance.now();

  const commit = async () => {
    commits += 1;
    const files = { [`namespaces/${NAMESPACE}.json`]: JSON.stringify(manifestOf(versions), null, 2) };
    await repo.commit(files, `web ${versions.web}, store ${versions.store}, task ${versions.job}`);
  };
  const next = async () => {
    versions = {
      web: versions.web + 1,
      store: versions.store + (commits % 2 === 0 ? 1 : 0),
      job: versions.job + (commits % 5 === 0 ? 1 : 0),
    };
    await commit();
  };

  /** A command of an operator: it may be refused or fail while parts are down, but it has to end. */
  async function command(name: string, args: readonly string[] = [NAMESPACE]): Promise<string> {
    const started = host.start([name, ...args]);
    const hung = setTimeout(() => started.child.kill('SIGKILL'), COMMAND_MS);
    const { code, signal, stdout, stderr } = await started.ended;
    clearTimeout(hung);
    expect(signal, `slipway ${name} did not end within ${COMMAND_MS / 1000} s: ${stdout}${stderr}`).toBe(null);
    const key = `${name}=${code}`;
    commands.set(key, (commands.get(key) ?? 0) + 1);
    return stdout;
  }

  /** Says yes to whatever waits: what was rolled back comes back with a later commit. */
  async function agree(): Promise<void> {
    const listed = await command('consent', []);
    for (const [, plan] of listed.matchAll(/^plan ([0-9a-f]{12}) .* waits for/gm))
      await command('consent', [plan ?? '']);
  }

  async function stream(untilMs: number): Promise<void> {
    while (performance.now() < untilMs) {
      await next();
      await sleep(chance.between(2_000, 9_000));
      if (commits % 6 !== 0) continue;
      await command('rollback');
      await sleep(chance.between(200, 3_000));
      await command('resume');
      await agree();
      await command('resume');
      await sleep(chance.between(2_000, 6_000));
      await agree();
    }
    await next();
  }

  async function killing(victims: Victims, untilMs: number): Promise<void> {
    while (performance.now() < untilMs) {
      await sleep(chance.between(500, 8_000));
      const victim = chance.pick(VICTIMS);
      if (await victims.kill(victim)) kills.push({ victim, atMs: performance.now() });
    }
  }

  function tell(prober: Prober): void {
    const seconds = Math.round((performance.now() - began) / 1_000);
    const count = (victim: Victim) => `${victim} ${kills.filter((it) => it.victim === victim).length}`;
    const failed = prober.answers.filter((it) => it.body === null).length;
    const ran = [...commands].map(([key, times]) => `${key}: ${times}`).join(', ');
    const line = `${commits} commits · kills: ${VICTIMS.map(count).join(', ')} · ${prober.answers.length} probes, ${failed} failed · ${ran}`;
    // Straight to the terminal: a runner that collects output would show it at the end.
    writeSync(2, `[soak ${seconds} s] ${line}\n`);
  }

  return {
    versions: () => versions,
    kills: () => kills,
    async begin() {
      await commit();
      const up = await host.slipway(['up', '--detach', '--repo', repo.path]);
      expect(up.code, up.stdout + up.stderr).toBe(0);
    },
    async settled() {
      const until = Date.now() + SETTLED_MS;
      const wanted = `web ${versions.web}`;
      let agreeAtMs = Date.now() + 5_000;
      while ((await ask(host.httpPort)).body !== wanted && Date.now() < until) {
        await sleep(100);
        if (Date.now() < agreeAtMs) continue;
        await agree();
        agreeAtMs = Date.now() + 5_000;
      }
      expect((await ask(host.httpPort)).body).toBe(wanted);
    },
    async run({ seconds, victims, prober }) {
      const untilMs = performance.now() + seconds * 1_000;
      const telling = setInterval(() => tell(prober), REPORT_MS);
      try {
        await Promise.all([stream(untilMs - LAST_KILLS_MS), killing(victims, untilMs)]);
      } finally {
        clearInterval(telling);
      }
    },
    async report(prober) {
      tell(prober);
      const { stdout } = await host.slipway(['status', NAMESPACE]);
      writeSync(2, stdout);
    },
  };
}
