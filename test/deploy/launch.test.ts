/** A launched program is in our place: signals reach it once, its exit code is ours. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const LAUNCH = fileURLToPath(new URL('../../deploy/launch.mjs', import.meta.url));

/** A process that launches the given program and ends with its exit code. */
function launcherOf(program: string) {
  const argv = JSON.stringify([process.execPath, '-e', program]);
  const script = `import { launch } from ${JSON.stringify(LAUNCH)};
    process.exitCode = await launch({ argv: ${argv}, cwd: '.', env: process.env });`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
}

it('passes the exit code through', async () => {
  expect(await once(launcherOf('process.exit(4)'), 'exit')).toEqual([4, null]);
});

it('ends with 128 + number when a signal ended the program', async () => {
  expect(await once(launcherOf("process.kill(process.pid, 'SIGKILL')"), 'exit')).toEqual([137, null]);
});

it('delivers one press of Ctrl-C once, also when npm repeats the signal', async () => {
  const launcher = launcherOf(`
    let count = 0;
    process.on('SIGINT', () => { count += 1; setTimeout(() => process.exit(10 + count), 200); });
    setInterval(() => {}, 1000);
    process.stdout.write('up');`);
  await once(launcher.stdout, 'data');
  launcher.kill('SIGINT');
  await sleep(50);
  launcher.kill('SIGINT');
  expect(await once(launcher, 'exit')).toEqual([11, null]);
});
