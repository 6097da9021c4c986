/** `npm test` in the bare host, from a fresh clone: installs what it needs and ends green. */
import assert from 'node:assert/strict';
import { CLONE } from './clone.ts';
import { lastLines } from './command.ts';
import type { Proof } from './start-proof.ts';

/** @throws when a test fails, or the last line is not the promised one */
export async function proveTests({ host, shown }: Proof): Promise<void> {
  const start = performance.now();
  const onOutput = (text: string) => process.stdout.write(text);
  const { exitCode, output } = await host.attempt(['npm', '--prefix', CLONE, 'test'], { onOutput });
  const closing = lastLines(output, 1);
  assert.equal(exitCode, 0, `npm test ended with ${exitCode}:\n${lastLines(output)}`);
  assert.match(closing, /^[1-9]\d* passed, 0 failed$/);
  shown(`npm test: ${closing}, in ${Math.round((performance.now() - start) / 1000)} s`);
}
