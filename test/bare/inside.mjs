/** Runs in the bare host, with Node alone: prints what an installation could have left there, as JSON. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';

/** @param {string} path of the engine's API @returns {Promise<any>} */
async function engine(path) {
  return await new Promise((resolve, reject) => {
    const call = request({ socketPath: '/var/run/docker.sock', path }, (response) => {
      let text = '';
      response.on('data', (piece) => (text += piece));
      response.on('end', () => resolve(JSON.parse(text)));
    });
    call.once('error', reject);
    call.end();
  });
}

/** @param {string} program @param {...string} args */
function lines(program, ...args) {
  return execFileSync(program, args, { encoding: 'utf8' }).split('\n').filter(Boolean);
}

/** @returns {string[]} */
function processes() {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid || Number(pid) === 1) return [];
    try {
      return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()].filter(Boolean);
    } catch {
      return [];
    }
  });
}

const containers = await engine('/containers/json?all=1');
const details = await Promise.all(containers.map((/** @type {any} */ it) => engine(`/containers/${it.Id}/json`)));
const { Volumes: volumes } = await engine('/volumes');
process.stdout.write(
  JSON.stringify({
    containers: details.map((it) => `${it.Name} ${it.Id.slice(0, 12)} since ${it.State.StartedAt}`).toSorted(),
    networks: (await engine('/networks')).map((/** @type {any} */ it) => it.Name).toSorted(),
    volumes: (volumes ?? []).map((/** @type {any} */ it) => it.Name).toSorted(),
    images: (await engine('/images/json')).flatMap((/** @type {any} */ it) => it.RepoTags ?? []).toSorted(),
    tables: lines('nft', 'list', 'tables').toSorted(),
    links: lines('ip', '-br', 'link')
      .map((it) => it.split(/[\s@]/)[0] ?? '')
      .toSorted((a, b) => a.localeCompare(b)),
    processes: processes().toSorted(),
    state: existsSync('/var/lib/slipway') ? readdirSync('/var/lib/slipway').toSorted() : [],
  }),
);
