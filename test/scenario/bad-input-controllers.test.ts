/** Two controllers at once, and processes that are killed: one leads, the next takes over, each commit is deployed once. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { manifestText, webService } from '../lab/fleet.ts';
import { type GatewayProbe, startProbe } from '../lab/gateway-probe.ts';
import { createGitRepo, type GitRepo } from '../lab/git-repo.ts';
import { freePort, type Host, startHost } from '../lab/host.ts';
import { ensureWebImage } from '../lab/images.ts';
import { type RunningCommand, startCommand } from '../lab/running-command.ts';

let host: Host;
let repo: GitRepo;
let probe: GatewayProbe;
let leader: RunningCommand;
const started: RunningCommand[] = [];

const commit = (version: string) =>
  repo.commit(
    { 'namespaces/shop.json': manifestText('shop', [webService({ hostname: 'shop.test', version })]) },
    `version ${version}`,
  );

async function start(...args: readonly string[]): Promise<RunningCommand> {
  const command = startCommand(host, [...args, '--hook-port', String(await freePort())]);
  started.push(command);
  return command;
}

/** How many releases were ever made; voids of killed attempts do not count. */
async function releaseCount(): Promise<number> {
  const { stdout } = await host.slipway(['releases', 'shop', '--json']);
  const { entries } = (JSON.parse(stdout) as { data: { entries: { kind: string }[] } }).data;
  return entries.filter((it) => it.kind === 'release').length;
}

beforeAll(async () => {
  await ensureWebImage();
  host = await startHost();
  repo = await createGitRepo({ dir: join(host.dir, 'fleet') });
  await commit('1');
  leader = await start('up', '--repo', repo.path);
  await leader.saw('shop: release #1 is live');
  probe = startProbe({ port: host.httpPort, hostname: 'shop.test' });
  await probe.settled('web 1');
});

afterAll(async () => {
  await probe?.stop();
  await Promise.all(started.map((it) => it.interrupt()));
  await host?.destroy();
});

it('the second stands by and says who leads; it takes over from a leader that is killed just after a commit', async () => {
  const second = await start('controller');
  await second.saw(`another controller leads (controller #${host.installation.machine}:${leader.pid}:`);
  await commit('2');
  await leader.kill();
  await second.saw(`following ${repo.path}, branch main`);
  await probe.settled('web 2');
  expect(await releaseCount()).toBe(2);
  leader = second;
});

it('takes over in the middle of a deploy, without a failed request', async () => {
  const third = await start('up');
  await third.saw(`another controller leads (controller #${host.installation.machine}:${leader.pid}:`);
  leader.skip();
  await probe.take();
  await commit('3');
  await leader.saw('"version 3" by Ada');
  await leader.kill();
  await third.saw('following ');
  expect((await probe.take()).filter((it) => !/^web [23]$/.test(it))).toEqual([]);
  await probe.settled('web 3');
  expect(await releaseCount()).toBe(3);
  leader = third;
});

it('starts an embedded nats-server again that was killed, and deploys what was committed meanwhile once', async () => {
  leader.skip();
  await probe.take();
  process.kill(Number(await readFile(join(host.stateDir, 'nats/nats.pid'), 'utf8')), 'SIGKILL');
  await commit('4');
  await leader.saw('nats-server is gone: starting it again');
  await leader.saw(/shop: release #\d+ is live/);
  expect((await probe.take()).filter((it) => !/^web [34]$/.test(it))).toEqual([]);
  await probe.settled('web 4');
  expect(await releaseCount()).toBe(4);
});

it('says without a controller that the embedded nats-server is gone, and how to start it', async () => {
  const ended = await leader.interrupt();
  expect(ended.code).toBe(0);
  process.kill(Number(await readFile(join(host.stateDir, 'nats/nats.pid'), 'utf8')), 'SIGKILL');
  const status = await host.slipway(['status']);
  expect(status.code).toBe(1);
  expect(status.stderr).toMatch(
    /NATS at 127\.0\.0\.1:\d+ does not answer; what is live .* Next: `slipway up` starts it/,
  );
  expect(await probe.take()).toEqual(['web 4']);
});
