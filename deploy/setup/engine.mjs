/**
 * The Docker engine: whether one answers, and starting one where nobody else does.
 *
 * A service manager is always preferred; a dockerd of our own is for machines without one (containers, minimal VMs).
 */
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink } from 'node:fs/promises';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { dataRootOf } from './dockerd-arguments.mjs';
import { SetupFailure } from './failure.mjs';
import { findProgram } from './find-program.mjs';

const DEFAULT_SOCKET = '/var/run/docker.sock';
const PING_TIMEOUT_MS = 5_000;
const START = { timeoutMs: 60_000, intervalMs: 100 };
/** Where a dockerd that we started writes. */
export const DOCKERD_LOG = '/var/log/slipway/dockerd.log';

/**
 * The socket of the engine: DOCKER_HOST, or Docker's own default.
 *
 * @param {NodeJS.ProcessEnv} env
 */
export function engineSocket(env) {
  const address = env['DOCKER_HOST'] ?? '';
  if (address === '') return DEFAULT_SOCKET;
  if (address.startsWith('unix://')) return address.slice('unix://'.length);
  throw new SetupFailure(`DOCKER_HOST is ${address}, but Slipway needs the engine of this machine`, {
    hint: 'Unset DOCKER_HOST, or set it to unix:///path/to/docker.sock.',
  });
}

/**
 * `ready`: it answers. `denied`: it is there, for root. `absent`: nobody answers.
 *
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<'ready' | 'denied' | 'absent'>}
 */
export async function probeEngine(env) {
  const options = { socketPath: engineSocket(env), path: '/_ping', timeout: PING_TIMEOUT_MS };
  return await new Promise((resolve) => {
    const ping = request(options, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? 'ready' : 'absent');
    });
    ping.once('timeout', () => ping.destroy());
    ping.once('error', (error) => resolve('code' in error && error.code === 'EACCES' ? 'denied' : 'absent'));
    ping.end();
  });
}

/**
 * Makes dockerd run in a session of its own, so that it outlives us, and returns when it answers.
 *
 * Never a second one on the same data: a dockerd that is already there, but silent, is waited for.
 *
 * @param {{ argv: readonly string[], env: NodeJS.ProcessEnv, say: (line: string) => void, signal: AbortSignal }} given
 */
export async function startOwnEngine({ argv, env, say, signal }) {
  if (env['DOCKER_HOST'] !== undefined && engineSocket(env) !== DEFAULT_SOCKET) {
    throw new SetupFailure(`nothing answers at DOCKER_HOST=${env['DOCKER_HOST']}`, {
      hint: 'Start that engine, or unset DOCKER_HOST.',
    });
  }
  const running = await runningOn(dataRootOf([], await daemonSettings()));
  const shown = argv.join(' ');
  say(running === undefined ? `→ ${shown}   # log: ${DOCKERD_LOG}` : `→ waiting for dockerd, process ${running}`);
  const child = running === undefined ? await spawnDetached(argv, env) : undefined;
  await untilEngineAnswers({ env, signal, shown, say, ...(child === undefined ? {} : { child }) });
}

/** @param {readonly string[]} argv @param {NodeJS.ProcessEnv} env */
async function spawnDetached([program = '', ...args], env) {
  await mkdir('/var/log/slipway', { recursive: true });
  const log = openSync(DOCKERD_LOG, 'a', 0o640);
  const child = spawn((await findProgram(program, env)) ?? program, args, {
    detached: true,
    stdio: ['ignore', log, log],
  });
  child.unref();
  return child;
}

/**
 * Returns when the engine answers; a SetupFailure when it does not within a minute or its process ended.
 *
 * @param {{ env: NodeJS.ProcessEnv, signal: AbortSignal, shown: string, say: (line: string) => void,
 *   child?: import('node:child_process').ChildProcess }} given
 */
export async function untilEngineAnswers({ env, signal, child, shown, say }) {
  const deadline = performance.now() + START.timeoutMs;
  let failed = '';
  child?.once('error', (error) => {
    failed = error.message;
  });
  while ((await probeEngine(env)) !== 'ready') {
    const exited = child !== undefined && (child.exitCode !== null || child.signalCode !== null);
    if (exited || failed !== '' || performance.now() > deadline) throw await neverAnswered(shown, failed);
    await sleep(START.intervalMs, undefined, { signal });
  }
  say('  the Docker engine answers');
}

/** @param {string} shown @param {string} failed */
async function neverAnswered(shown, failed) {
  const log = await readFile(DOCKERD_LOG, 'utf8').catch(() => '');
  const lines = log
    .trimEnd()
    .split('\n')
    .slice(-8)
    .map((it) => `  | ${it}`);
  const what = failed === '' ? `${shown} does not answer` : `${shown} did not start: ${failed}`;
  return new SetupFailure([what, ...lines].join('\n'), {
    hint: `Its whole log: ${DOCKERD_LOG}. Once a Docker engine runs on this machine, run this again.`,
  });
}

async function daemonSettings() {
  return await readFile('/etc/docker/daemon.json', 'utf8').catch(() => '{}');
}

/**
 * The dockerd that has the data already, if one runs. Only processes that see our files count: one inside a
 * container has another /var/lib/docker.
 *
 * @param {string} dataRoot
 */
async function runningOn(dataRoot) {
  const settings = await daemonSettings();
  const ours = await readlink('/proc/self/ns/mnt');
  for (const pid of (await readdir('/proc')).filter((it) => /^\d+$/.test(it))) {
    const [program = '', ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (!/(^|\/)dockerd$/.test(program) || dataRootOf(args, settings) !== dataRoot) continue;
    if ((await readlink(`/proc/${pid}/ns/mnt`).catch(() => '')) === ours) return Number(pid);
  }
  return undefined;
}
