/** `slipway … | head`: a reader that has seen enough is no failure. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DIST } from '../../lab/host.ts';

it('ends as if everything had been read when the reader is gone', async () => {
  const child = spawn(process.execPath, [join(DIST, 'cli/main.js'), 'version'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  expect({ code, said }).toEqual({ code: 0, said: '' });
});
