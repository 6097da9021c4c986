/** A reader of README's tutorial: types every block as it stands there, and looks whether it prints what it promises. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CLONE } from './clone.ts';
import { leftovers, readInventory } from './inventory.ts';
import { openShell, type Shell } from './shell.ts';
import type { Proof } from './start-proof.ts';
import { openTerminal, type Terminal } from './terminal.ts';
import { fits, type TutorialStep, tutorialSteps } from './tutorial-steps.ts';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));
const HEADING = '## Tutorial';
const FIRST_START_MS = 600_000;
const STOP_MS = 30_000;
const STEP_MS = 300_000;
const PATIENCE_MS = 120_000;
const PAUSE_MS = 500;

/** @throws at the first step that does not do what the tutorial says */
export async function proveTutorial({ host, signal, shown }: Proof): Promise<void> {
  const steps = tutorialSteps(await readFile(README, 'utf8'), HEADING);
  const first = openTerminal(host, CLONE, 'npm start -- --yes', signal);
  await first.waitFor(/^ready: /m, FIRST_START_MS);
  await first.interrupt(STOP_MS);
  shown('the first part of README: npm start, Ctrl-C');

  const shell = openShell(host, CLONE, signal);
  const lastInstall = steps.findLastIndex((it) => it.script.includes('apt-get'));
  try {
    for (const [index, step] of steps.entries()) {
      if (step.inFirstTerminal) await inTerminal(openTerminal(host, CLONE, step.script, signal), step);
      else await inShell(shell, step, signal);
      shown(`README.md:${step.line}: ${firstLine(step.script)}`);
      if (index !== lastInstall) continue;
      await host.run(['ip', 'route', 'del', 'default']);
      shown('from here on the machine has no route to anywhere');
    }
  } finally {
    shell.close();
  }
  assert.deepEqual(leftovers(await readInventory(host)), []);
  shown(`the tutorial, word for word: ${steps.length} steps, and nothing is left`);
}

async function inShell(shell: Shell, step: TutorialStep, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const { exitCode, output } = await shell.run(step.script, STEP_MS);
    const wrong = whatIsWrong(step, exitCode, output);
    if (wrong === null) return;
    if (!step.isRepeated || performance.now() > deadlineMs) throw new Error(wrong);
    await sleep(PAUSE_MS, undefined, { signal });
  }
}

function whatIsWrong(step: TutorialStep, exitCode: number, output: string): string | null {
  const where = `README.md:${step.line}: ${step.script}`;
  if (exitCode !== step.exitCode) return `${where}\nended with ${exitCode}, not ${step.exitCode}:\n${output}`;
  if (step.output === null || fits(output, step.output)) return null;
  return `${where}\nprinted\n${output}\nand the tutorial says\n${step.output}`;
}

/** The program stays in the foreground: its promised lines come one after the other. */
async function inTerminal(terminal: Terminal, step: TutorialStep): Promise<void> {
  for (const line of (step.output ?? '').split('\n').filter((it) => it !== '' && it !== '…')) {
    const pattern = line.split('…').map((it) => it.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
    await terminal.waitFor(new RegExp(`^${pattern.join('.*')}\\s*$`, 'm'), PATIENCE_MS);
  }
}

function firstLine(script: string): string {
  const [line = '', ...more] = script.split('\n');
  return more.length === 0 ? line : `${line} …`;
}
