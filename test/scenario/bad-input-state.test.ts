/** NATS that is down or full: commands and controller say so and what to do, the old version serves, nothing is lost. */
import { execFileSync } from 'node:child_process';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manifestText, webService } from '../lab/fleet.ts';
import { type GatewayProbe, startProbe } from '../lab/gateway-probe.ts';
import { createGitRepo, type GitRepo } from '../lab/git-repo.ts';
import { freePort, type Host, startHost } from '../lab/host.ts';
import { ensureWebImage } from '../lab/images.ts';
import { type NatsLab, startNats } from '../lab/nats.ts';
import { type RunningCommand, startCommand } from '../lab/running-command.ts';

const shop = (version: string) => manifestText('shop', [webService({ hostname: 'shop.test', version })]);
const manifest = (version: string) => ({ 'namespaces/shop.json': shop(version) });

/** Kinds and numbers of the namespace's log, the oldest first. */
async function logOf(host: Host): Promise<string[]> {
  const { stdout } = await host.slipway(['releases', 'shop', '--json']);
  const { entries } = (JSON.parse(stdout) as { data: { entries: { kind: string; n: number }[] } }).data;
  return entries.map((it) => `${it.kind} ${it.n}`).toReversed();
}

describe('a NATS server of the user', () => {
  let nats: NatsLab;
  let host: Host;
  let repo: GitRepo;
  let up: RunningCommand;
  let probe: GatewayProbe;
  let follow: readonly string[];

  beforeAll(async () => {
    await ensureWebImage();
    nats = await startNats();
    host = await startHost({ upArgs: ['--nats', nats.url] });
    repo = await createGitRepo({ dir: join(host.dir, 'fleet') });
    await repo.commit(manifest('1'));
    follow = ['up', '--repo', repo.path, '--hook-port', String(await freePort())];
    up = startCommand(host, follow);
    await up.saw('shop: release #1 is live');
    probe = startProbe({ port: host.httpPort, hostname: 'shop.test' });
    await probe.settled('web 1');
  });

  afterAll(async () => {
    await probe?.stop();
    await up?.interrupt();
    await host?.destroy();
    await nats?.stop();
  });

  it('that is killed while the controller runs is said, and what was committed meanwhile is deployed once', async () => {
    up.skip();
    await nats.kill();
    await up.saw('state: NATS does not answer; what is live goes on serving, deploys wait until it is back');
    await repo.commit(manifest('2'));
    expect(await probe.take()).toEqual(['web 1']);
    await nats.restart();
    await up.saw('state: NATS answers again');
    await up.saw('shop: release #2 is live');
    await probe.settled('web 2');
    expect(await logOf(host)).toEqual(['release 1', 'release 2']);
  });

  it('that is down at the start is named, with what to do; the next start finds everything as it was', async () => {
    await up.interrupt();
    await nats.kill();
    const fresh = join(host.dir, 'fresh');
    const port = String(await freePort());
    const first = ['--state-dir', fresh, 'up', '--nats', 'nats://127.0.0.1:1', '--http-port', port, '--detach'];
    const [again, status, never] = await Promise.all([
      host.slipway(follow),
      host.slipway(['status', '--json']),
      host.slipway(first),
    ]);
    const removed = await host.slipway(['--state-dir', fresh, 'down', '--purge']);
    expect(removed.code, removed.stderr).toBe(0);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain(`STATE_UNAVAILABLE: NATS at 127.0.0.1:${nats.port} does not answer`);
    expect(again.stderr).toContain('what is live goes on serving without it. Next: is it running, and is its address');
    expect(status.code).toBe(1);
    expect(JSON.parse(status.stdout)).toMatchObject({ ok: false, error: { code: 'STATE_UNAVAILABLE' } });
    expect(never.code).toBe(1);
    expect(never.stderr).toContain('NATS at 127.0.0.1:1 does not answer');
    expect(await probe.take()).toEqual(['web 2']);

    await repo.commit(manifest('3'));
    await nats.restart();
    up = startCommand(host, follow);
    await up.saw('shop: release #3 is live');
    await probe.settled('web 3');
    expect(await logOf(host)).toEqual(['release 1', 'release 2', 'release 3']);
  });
});

describe.skipIf(process.getuid?.() !== 0)('a disk that is full', () => {
  let mounted = '';
  let host: Host;
  let repo: GitRepo;
  let up: RunningCommand;
  let probe: GatewayProbe;

  beforeAll(async () => {
    await ensureWebImage();
    host = await startHost({
      async prepare(stateDir) {
        mounted = join(stateDir, 'nats');
        await mkdir(mounted, { recursive: true, mode: 0o700 });
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m,mode=0700', 'slipway-test', mounted]);
      },
    });
    repo = await createGitRepo({ dir: join(host.dir, 'fleet') });
    await repo.commit(manifest('1'));
    up = startCommand(host, ['up', '--repo', repo.path, '--hook-port', String(await freePort())]);
    await up.saw('shop: release #1 is live');
    probe = startProbe({ port: host.httpPort, hostname: 'shop.test' });
    await probe.settled('web 1');
  });

  afterAll(async () => {
    await probe?.stop();
    await up?.interrupt();
    await host?.slipway(['down']);
    if (mounted !== '') execFileSync('umount', ['-l', mounted]);
    await host?.destroy();
  });

  it('is said with the folder to clear; reading goes on, the old version serves, and then the new one is deployed once', async () => {
    up.skip();
    const { bavail, bsize } = await statfs(mounted);
    const filler = join(mounted, 'filler');
    await writeFile(filler, Buffer.alloc(bavail * bsize - 2 * 2 ** 20));
    await repo.commit(manifest('2'));
    const full = `the disk of the NATS store is full: free some space in ${mounted}`;
    expect(await up.saw('state: ')).toContain(`${full}; what is live goes on serving, deploys wait`);
    const byHand = join(host.dir, 'shop.json');
    await writeFile(byHand, shop('by hand'));
    const [deploy, status] = await Promise.all([
      host.slipway(['deploy', '-f', byHand, '--json']),
      host.slipway(['status', 'shop']),
    ]);
    expect(deploy.code).toBe(1);
    expect(JSON.parse(deploy.stdout)).toMatchObject({ ok: false, error: { code: 'STATE_FULL', message: full } });
    expect(status.code).toBe(0);
    expect(status.stdout).toContain('shop: release #1');
    expect(await probe.take()).toEqual(['web 1']);

    await rm(filler);
    await up.saw('shop: release #2 is live');
    await probe.settled('web 2');
    expect(await logOf(host)).toEqual(['release 1', 'release 2']);
  });
});
