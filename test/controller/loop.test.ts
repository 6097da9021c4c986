import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../controller/execute/clock.ts';
import { createLoop, type Loop } from '../../controller/loop.ts';
import { createMetrics } from '../../controller/metrics.ts';
import { createNamespaces, type Namespaces } from '../../controller/namespaces.ts';
import { silentLogger } from '../../schemas/logger.ts';
import type { Desired } from '../../schemas/service.ts';
import { desiredService } from '../builders/service.ts';
import { createExecutorLab, type ExecutorLab } from './execute/lab.ts';

let lab: ExecutorLab;
let loop: Loop;
let namespaces: Namespaces;
let stop: AbortController;

const REVISION = '1'.repeat(40);
const desired = (version: string): Desired => ({
  namespace: 'production',
  services: [desiredService({ imageName: 'web:1', template: { env: { VERSION: version } } })],
  volumes: [],
});
const want = (version: string) =>
  loop.want({
    namespace: 'production',
    desired: desired(version),
    revision: REVISION,
    maxRemovePercent: 50,
    approvalRequired: false,
    managedBy: 'git',
  });
const release = async () => (await lab.store.log.live('production'))?.n ?? null;
const later = async (check: () => Promise<void>) => await vi.waitFor(check, { timeout: 5_000, interval: 10 });

beforeEach(async () => {
  lab = await createExecutorLab();
  stop = new AbortController();
  const image = { image: { localId: `sha256:${'c'.repeat(64)}`, name: 'web:1' } };
  lab.store.messages.serve(['agent', 'm1', 'image'], async () => image, stop.signal);
  namespaces = createNamespaces({ bucket: lab.store.bucket('namespaces') });
  loop = createLoop(
    {
      store: lab.store,
      executor: lab.executor,
      namespaces,
      clock: systemClock,
      log: silentLogger,
      actor: 'controller',
      gatewayPorts: [80],
      metrics: createMetrics(),
      say: () => {},
    },
    stop.signal,
  );
});
afterEach(async () => {
  stop.abort();
  await loop.stopped;
  await lab.close();
});

describe('the loop', () => {
  it('carries a digest out once, however often it is told', async () => {
    want('1');
    want('1');
    await later(async () => expect(await release()).toBe(1));
    want('1');
    loop.poke('production');
    await later(async () => expect((await namespaces.get('production')).carriedOut).not.toBe(null));
    loop.poke('production');
    await systemClock.sleep(50);
    expect(await lab.store.log.tip('production')).toBe(1);
  });

  it('does not try a failed digest again before git says something else', async () => {
    lab.machine.failing.set('web.0', 'NEVER_READY');
    want('1');
    await later(async () => expect((await namespaces.get('production')).failed?.code).toBe('NEVER_READY'));
    lab.machine.failing.clear();
    loop.poke('production');
    await systemClock.sleep(50);
    expect(await release()).toBe(null);
    want('2');
    await later(async () => expect(await release()).toBe(2));
    await later(async () => expect((await namespaces.get('production')).failed).toBe(null));
  });

  it('forgets a failure once git says again what is live', async () => {
    want('1');
    await later(async () => expect((await namespaces.get('production')).carriedOut).not.toBe(null));
    lab.machine.failing.set('web.0', 'NEVER_READY');
    want('2');
    await later(async () => expect((await namespaces.get('production')).failed?.code).toBe('NEVER_READY'));
    want('1');
    await later(async () => expect((await namespaces.get('production')).failed).toBe(null));
    expect(await release()).toBe(1);
  });

  it('leaves a deploy that its own end interrupted to the next start', async () => {
    lab.machine.endless.add('start');
    want('1');
    await later(async () => expect(lab.machine.acted.join()).toContain('start'));
    stop.abort();
    await loop.stopped;
    expect((await lab.store.log.read('production', 1))?.kind).toBe('void');
    expect(await namespaces.get('production')).toMatchObject({ carriedOut: null, failed: null });
  });

  it('keeps its hands off a held namespace until it is resumed', async () => {
    want('1');
    await later(async () => expect((await namespaces.get('production')).carriedOut).not.toBe(null));
    const { carriedOut } = await namespaces.get('production');
    const hold = { by: 'cli/ops', why: 'at night', at: '2026-01-01T00:00:00.000Z', desiredDigest: carriedOut };
    await namespaces.change('production', (it) => ({ ...it, held: hold }));
    loop.poke('production');
    await systemClock.sleep(50);
    expect(await lab.store.log.tip('production')).toBe(1);
    await namespaces.change('production', (it) => ({ ...it, held: null, carriedOut: null }));
    loop.poke('production');
    await later(async () => expect((await namespaces.get('production')).carriedOut).toBe(carriedOut));
  });

  it('waits for consent before it removes a namespace that git no longer has', async () => {
    want('1');
    await later(async () => expect((await namespaces.get('production')).carriedOut).not.toBe(null));
    loop.want({
      namespace: 'production',
      desired: null,
      revision: REVISION,
      maxRemovePercent: 50,
      approvalRequired: false,
      managedBy: 'git',
    });
    await later(async () => expect((await namespaces.get('production')).failed?.code).toBe('CONSENT_NEEDED'));
    expect(await release()).toBe(1);
    expect([...lab.machine.running.keys()]).toHaveLength(1);
  });
});
