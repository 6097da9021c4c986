import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Lab, openLab, pause } from './lab.ts';
let lab: Lab;
beforeAll(async () => { lab = await openLab(); lab.startAgent({ SLIPWAY_LOG_LEVEL: 'debug' }); }, 60_000);
afterAll(async () => { writeFileSync('/tmp/x/log2', lab.said()); await lab.close(); }, 60_000);
it('comes back after a restart of Docker', async () => {
  await lab.deploy(lab.service('one'), lab.service('db', { name: 'db', routes: [{kind:'http', hostname:'db.test', pathPrefix:'/', port: 8080}] }));
  expect(await lab.get()).toBe('one');
  for (const sig of ['TERM', 'KILL']) {
    const pid = readFileSync('/tmp/x/dockerd.pid', 'utf8').trim();
    const t = Date.now();
    execFileSync('kill', [`-${sig}`, pid]);
    while (true) { try { process.kill(Number(pid), 0); await pause(50); } catch { break; } }
    console.log(sig, 'docker gone', Date.now() - t, await lab.get());
    await pause(1500);
    execFileSync('sh', ['-c', 'nohup sh /tmp/x/dockerd.sh >/dev/null 2>&1 &']);
    while ((await lab.get()) === null || (await lab.get('db.test')) === null) await pause(50);
    console.log('back', Date.now() - t);
    await pause(3000);
    console.log((await lab.containers()).map((it) => `${it.name.slice(-25)} ${it.state} ${it.restartCount}`));
    expect((await lab.containers()).filter((it) => it.state === 'running')).toHaveLength(2);
  }
}, 120_000);
