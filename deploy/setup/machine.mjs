/** Reads what setup decides upon: this machine's programs, distribution, Docker engine and npm packages. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cgroupParentFor } from './dockerd-arguments.mjs';
import { probeEngine } from './engine.mjs';
import { findProgram } from './find-program.mjs';
import { holdsEveryPackage } from './npm-lock.mjs';
import { NEEDS } from './programs.mjs';

const run = promisify(execFile);

/**
 * The facts of this machine for the checkout at `root`.
 *
 * @param {{ root: string, env: NodeJS.ProcessEnv }} where
 * @returns {Promise<import('./decide.mjs').Facts>}
 */
export async function readFacts({ root, env }) {
  const found = await Promise.all(NEEDS.map(async ({ program }) => ((await fits(program, env)) ? [program] : [])));
  return {
    isRoot: process.getuid?.() === 0,
    distribution: await distribution(),
    hasApt: (await findProgram('apt-get', env)) !== undefined,
    hasSudo: (await findProgram('sudo', env)) !== undefined,
    hasServiceManager: existsSync('/run/systemd/system'),
    hasAppArmor: (await textOf('/sys/module/apparmor/parameters/enabled')).startsWith('Y'),
    programs: new Set(found.flat()),
    hasBusyboxPackage: existsSync('/var/lib/dpkg/info/busybox.list'),
    engine: await probeEngine(env),
    dockerdArguments: cgroupParentFor(await textOf('/proc/1/cgroup')),
    hasNpmPackages: await hasNpmPackages(root),
  };
}

/** @param {string} program @param {NodeJS.ProcessEnv} env */
async function fits(program, env) {
  const path = await findProgram(program, env);
  if (path === undefined) return false;
  return program !== 'busybox' || (await isStaticallyLinked(path));
}

/** ldd ends with 1 for a program without a dynamic linker (ldd(1) of glibc). @param {string} path */
async function isStaticallyLinked(path) {
  try {
    await run('ldd', ['--', path]);
    return false;
  } catch {
    return true;
  }
}

/** os-release(5). */
async function distribution() {
  const fields = [...(await textOf('/etc/os-release')).matchAll(/^(\w+)=["']?(.*?)["']?$/gm)];
  /** @type {Map<string, string>} */
  const values = new Map(fields.map(([, name = '', value = '']) => [name, value]));
  return {
    id: values.get('ID') ?? '',
    version: values.get('VERSION_ID') ?? '',
    name: values.get('PRETTY_NAME') ?? 'this system',
  };
}

/** @param {string} root */
async function hasNpmPackages(root) {
  const installed = await textOf(join(root, 'node_modules/.package-lock.json'));
  if (installed === '') return false;
  const wanted = await readFile(join(root, 'package-lock.json'), 'utf8');
  return holdsEveryPackage(JSON.parse(wanted), JSON.parse(installed));
}

/** @param {string} path @returns {Promise<string>} empty when there is no such file */
async function textOf(path) {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}
