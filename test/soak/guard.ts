/** The soak test's guard over its volume, put to the test itself: with two writers it must speak up, with one not. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { WEB_IMAGE } from '../lab/images.ts';
import type { PrivateEngine } from '../lab/private-engine.ts';
import { VIOLATIONS } from './workload.ts';

const LOOK_MS = 1_500;

/** Runs one writer, then two, on a folder. */
export async function expectGuard(engine: PrivateEngine, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const start = async () => {
    const place = ['--network', 'none', '--volume', `${folder}:/data`];
    return (await engine.docker(['run', '--detach', ...place, WEB_IMAGE])).trim();
  };
  const seen = async () => await readFile(join(folder, VIOLATIONS), 'utf8').catch(() => '');
  const writers = [await start()];
  try {
    await sleep(LOOK_MS);
    expect(await seen(), 'violations of a single writer').toBe('');
    writers.push(await start());
    for (let i = 0; i < 40 && (await seen()) === ''; i++) await sleep(250);
    expect(await seen(), 'violations of two writers').not.toBe('');
  } finally {
    await engine.docker(['rm', '--force', ...writers]);
  }
}
