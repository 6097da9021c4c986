/** `npm test [-- VITEST ARGUMENTS]`: makes this machine ready, then runs the tests that decide whether a change lands. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closingLine } from './closing-line.mjs';
import { asRoot, parseArguments, prepare, ROOT } from './command-line.mjs';
import { launch } from './launch.mjs';
import { runMain } from './setup/failure.mjs';

/** Not here: kill and soak, which take longer and have scripts of their own. */
const PROJECTS = ['unit', 'contract', 'scenario'];

await runMain(async () => {
  const { yes, rest } = parseArguments(process.argv.slice(2));
  await prepare({ purpose: 'test', yes });
  return (await asRoot('deploy/test.mjs', rest)) ?? (await runTests(rest));
});

/** @param {readonly string[]} args @returns {Promise<number>} */
async function runTests(args) {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-report-'));
  try {
    const file = join(folder, 'report.json');
    const projects = PROJECTS.map((it) => `--project=${it}`);
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
    const argv = [process.execPath, 'node_modules/vitest/vitest.mjs', 'run', ...projects, ...reporters, ...args];
    const exitCode = await launch({ argv, cwd: ROOT, env: process.env });
    const text = await readFile(file, 'utf8').catch(() => undefined);
    process.stdout.write(`${closingLine(text === undefined ? undefined : JSON.parse(text), exitCode)}\n`);
    return exitCode;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
