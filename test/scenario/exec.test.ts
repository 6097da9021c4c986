/** `slipway exec`, `stats` and `why` on a real installation: bytes, exit codes, and no process left behind. */
import { execFile, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExecReply } from '../../schemas/exec.ts';
import { generateKey, loadOrCreateKey } from '../../trust/keys.ts';
import { signExecOrder } from '../../trust/sign-exec.ts';
import { execOrder } from '../builders/exec.ts';
import { manifestText, webService } from '../lab/fleet.ts';
import { createGitRepo, type GitRepo } from '../lab/git-repo.ts';
import { DIST, freePort, type Host, startHost } from '../lab/host.ts';
import { ensureWebImage } from '../lab/images.ts';
import { readContainers } from '../lab/inventory.ts';
import { type RunningCommand, startCommand } from '../lab/running-command.ts';
import { openStore } from '../lab/store.ts';

let host: Host;
let repo: GitRepo;
let up: RunningCommand;

const commit = async (version: string, env: Record<string, string> = {}) => {
  const web = webService({ hostname: 'shop.test', version, env, more: { placement: { replicated: { count: 2 } } } });
  return await repo.commit({ 'namespaces/shop.json': manifestText('shop', [web]) }, `version ${version}`);
};

beforeAll(async () => {
  await ensureWebImage();
  host = await startHost();
  repo = await createGitRepo({ dir: join(host.dir, 'fleet') });
  await commit('1');
  up = startCommand(host, ['up', '--repo', repo.path, '--hook-port', String(await freePort())]);
  await up.saw('shop: release #1 is live');
});

afterAll(async () => {
  await up?.kill();
  await host?.destroy();
});

/** Runs `slipway exec …` with standard input, and gives the exact bytes. */
async function exec(args: readonly string[], input?: Buffer) {
  const child = spawn(process.execPath, [join(DIST, 'cli/main.js'), 'exec', ...args], {
    env: { ...process.env, SLIPWAY_STATE_DIR: host.stateDir, NO_COLOR: '1' },
  });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (it: Buffer) => out.push(it));
  child.stderr.on('data', (it: Buffer) => err.push(it));
  child.stdin.on('error', () => {});
  if (input === undefined) child.stdin.end();
  else child.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() };
}

/** Processes of this machine, containers included, whose arguments hold the text. */
function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((it) => /^\d+$/.test(it))
    .flatMap((pid) => {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return argv[0] === 'sleep' && argv[1] === text ? [Number(pid)] : [];
      } catch {
        return [];
      }
    });
}

/** A number of seconds that no other test sleeps. */
const oddSeconds = () => `${40_000 + Math.floor(Math.random() * 50_000)}`;
const stubborn = (seconds: string) => [
  'shop/web',
  '--',
  'sh',
  '-c',
  `trap '' TERM; sleep ${seconds} & sleep ${seconds}`,
];

describe('slipway exec', () => {
  it('keeps output and errors apart, and ends with the exit code of the command', async () => {
    const ran = await exec(['shop/web.1', '-e', 'A=b c', '--', 'sh', '-c', 'hostname; echo "$A" >&2; exit 7']);
    expect(ran).toMatchObject({ code: 7, stdout: Buffer.from('web-1\n'), stderr: 'b c\n' });
  });

  it('brings 20 MB to the container and back, each byte in its place', async () => {
    const bytes = Buffer.alloc(20_000_000);
    for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE(Math.imul(i, 2_654_435_761) >>> 0, i);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(await exec(['shop/web.0', '-i', '--', 'sh', '-c', 'cat > /big; sha256sum /big'], bytes)).toMatchObject({
      code: 0,
      stdout: Buffer.from(`${sha256}  /big\n`),
    });
    const { code, stdout } = await exec(['shop/web.0', '--', 'cat', '/big']);
    expect({ code, sha256: createHash('sha256').update(stdout).digest('hex') }).toEqual({ code: 0, sha256 });
  });

  it('tells apart what cannot be run: no such program, no such slot, no command', async () => {
    expect((await exec(['shop/web', '--', 'no-such-program'])).code).toBe(126);
    expect(await exec(['shop/web.7', '--', 'id'])).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/not a slot; there are web\.0, web\.1/),
    });
    expect(await exec(['shop/web'])).toMatchObject({ code: 64, stderr: expect.stringMatching(/no command was given/) });
    expect(await exec(['shop/web', '-t', '--', 'sh'])).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/-t wants a terminal/),
    });
  });

  it('Ctrl-C ends the command in the container, also one that does not want to, with all it began', async () => {
    const seconds = oddSeconds();
    const command = startCommand(host, ['exec', ...stubborn(seconds)]);
    await expect.poll(() => processesWith(seconds).length, { timeout: 20_000 }).toBe(2);
    const { code } = await command.interrupt();
    expect(code).toBe(130);
    expect(processesWith(seconds)).toEqual([]);
  });

  it('a client that is killed leaves no process behind; neither does an agent', async () => {
    const [lost, orphaned] = [oddSeconds(), oddSeconds()];
    const client = startCommand(host, ['exec', ...stubborn(lost)]);
    const other = startCommand(host, ['exec', ...stubborn(orphaned)]);
    const runs = () => [processesWith(lost).length, processesWith(orphaned).length];
    await expect.poll(runs, { timeout: 20_000 }).toEqual([2, 2]);
    await client.kill();
    await expect.poll(runs, { timeout: 20_000 }).toEqual([0, 2]);
    process.kill(await host.agentPid(), 'SIGKILL');
    // Whoever runs `up` starts it again.
    await expect.poll(runs, { timeout: 20_000 }).toEqual([0, 0]);
    expect(await other.kill()).toMatchObject({ stdout: '' });
    await expect.poll(async () => (await exec(['shop/web', '--', 'true'])).code, { timeout: 20_000 }).toBe(0);
  });

  it('an agent takes orders only from keys on the list, and each only once', async () => {
    const store = await openStore(host);
    try {
      const instance = (await store.log.live('shop'))?.slots[0];
      const ask = async (signed: unknown) =>
        ExecReply.parse(await store.messages.request(['agent', host.installation.machine, 'exec'], signed, 5_000));
      const order = execOrder({
        installation: host.installation.id,
        machine: host.installation.machine,
        namespace: 'shop',
        slot: instance?.slot ?? '',
        deploy: instance?.deploy ?? '',
        argv: ['sh', '-c', 'touch /forged'],
      });
      const key = await loadOrCreateKey(join(host.stateDir, 'keys/operator.pem'));
      expect(await ask(signExecOrder(order, generateKey()))).toMatchObject({ state: 'refused', code: 'UNTRUSTED' });
      expect(await ask({ ...signExecOrder(order, key), signature: 'AAAA' })).toMatchObject({ code: 'UNTRUSTED' });
      expect((await exec([`shop/${order.slot}`, '--', 'ls', '/forged'])).code).toBe(1);
      const replayed = signExecOrder({ ...order, id: randomUUID(), argv: ['true'] }, key);
      expect(await ask(replayed)).toEqual({ state: 'taken' });
      expect(await ask(replayed)).toMatchObject({
        state: 'refused',
        message: expect.stringMatching(/carried out before/),
      });
    } finally {
      await store.close();
    }
  });

  it('leaves who ran what where in the events, without the arguments', async () => {
    const secret = randomUUID();
    await exec(['shop/web.0', '--', 'echo', secret]);
    const { stdout } = await host.slipway(['events', '--json', '--limit', '20']);
    const { data } = JSON.parse(stdout) as {
      data: { kind: string; namespace: string; actor: string; message: string }[];
    };
    const last = data.findLast((it) => it.kind === 'exec');
    expect(last).toMatchObject({ namespace: 'shop', actor: expect.stringMatching(/^cli\//), message: 'web.0: echo' });
    expect(stdout).not.toContain(secret);
  });
});

it('slipway stats shows each instance once, one slot when asked, and lines of JSON', async () => {
  const all = await host.slipway(['stats']);
  expect(all.stdout).toMatch(/INSTANCE +MACHINE +CPU +MEMORY +LIMIT/);
  expect(all.stdout).toMatch(/shop\/web\.0 .* \d+m .*\n.*shop\/web\.1 /);
  const one = await host.slipway(['stats', 'shop/web.1', '--json', '--no-stream']);
  expect(one.stdout.trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(one.stdout)).toMatchObject({ namespace: 'shop', slot: 'web.1', memoryBytes: expect.any(Number) });
  expect(await host.slipway(['stats', 'nope'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/no namespace nope: there are shop/),
  });
});

describe('slipway why', () => {
  const why = async () => (await host.slipway(['why', 'shop/web'])).stdout;
  const lines = async () => (await why()).trim().split('\n');

  it('says in two lines that all is well', async () => {
    await expect.poll(lines, { timeout: 20_000 }).toHaveLength(2);
    const [first, second] = await lines();
    expect(first).toMatch(/^shop\/web: live as it is since release #1 of \S+ by controller/);
    expect(second).toMatch(/^as git says at [0-9a-f]{10}; 2 of 2 ready/);
  });

  it('a failed deploy: what differs, the code, the evidence, and what to do', async () => {
    await commit('2', { EXIT_AT_ONCE: '1' });
    await expect.poll(why, { timeout: 40_000, interval: 300 }).toContain('failed with EXITED');
    const text = await why();
    expect(text).toMatch(
      /git: [0-9a-f]{10} differs in 2 fields\n {2}env\.EXIT_AT_ONCE: none -> "1"\n {2}env\.VERSION: "1" -> "2"/,
    );
    expect(text).toContain('exit code 3');
    expect(text).toContain('| giving up on purpose');
    expect(text).toContain('next: commit a change, or slipway deploy shop');
  });

  it('held, without a controller: who and why, and that nobody would carry it out; exec works as before', async () => {
    const file = await host.manifest(
      'shop',
      JSON.parse(manifestText('shop', [webService({ hostname: 'shop.test', version: '3' })])),
    );
    expect((await host.slipway(['deploy', '-f', file, '-m', 'by hand, for the sale'])).code).toBe(0);
    expect(await why()).toContain('by hand, for the sale');
    await up.kill();
    const text = await why();
    expect(text).toContain('no controller runs');
    expect(text).toContain('next: slipway resume shop');
    expect((await exec(['shop/web', '--', 'sh', '-c', 'echo $VERSION'])).stdout.toString()).toBe('3\n');
  });

  it('what was healed lately, and by which slot', async () => {
    const [container] = await readContainers(host);
    await promisify(execFile)('docker', ['rm', '-f', container?.id ?? '']);
    await expect.poll(why, { timeout: 30_000, interval: 300 }).toMatch(/healed lately:\n {2}\S+ web\.0: /);
  });

  it('git that is away is said, and nothing is taken for gone', async () => {
    await rename(repo.path, `${repo.path}.away`);
    const text = await why();
    expect(text).toContain('git cannot be read, so what it says is unknown');
    expect(text).toMatch(/web\.0 .* ready/);
    await rename(`${repo.path}.away`, repo.path);
  });

  it('an agent that does not report is unknown, never missing', async () => {
    process.kill(await host.agentPid(), 'SIGSTOP');
    try {
      const store = await openStore(host);
      // As if its last report had expired.
      await store.bucket('observed').delete([host.installation.machine]);
      await store.close();
      await sleep(100);
      const text = await why();
      expect(text).toContain(`web.0 on ${host.installation.machine} is unknown`);
      expect(text).not.toMatch(/web\.0 +\S+ +missing/);
      expect(await exec(['shop/web', '--', 'true'])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/no agent has reported/),
      });
    } finally {
      process.kill(await host.agentPid(), 'SIGCONT');
    }
  });
});
