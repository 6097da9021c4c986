/** Volumes of a voided deploy: which go with it, and everything that keeps one. */
import { expect, it } from 'vitest';
import { createVolumeLeftovers, leftoverVolumes } from '../../agent/volume-leftovers.ts';
import { silentLogger } from '../../schemas/logger.ts';
import type { LogEntry } from '../../schemas/release.ts';
import { deployId, release } from '../builders/release.ts';

const [failed, other] = [deployId(1), deployId(2)];
const base = { namespace: 'production', at: '2026-01-01T00:00:00.000Z', actor: 'loop' };
const voided: LogEntry = { ...base, kind: 'void', n: 3, deploy: failed, reason: 'test' };
const row = (volume: string) => ({ volume, machine: 'm1' });
const listed = (volume: string, deploy?: string, namespace = 'production') => ({
  namespace,
  volume,
  path: `/volumes/${namespace}/${volume}`,
  ...(deploy === undefined ? {} : { deploy }),
});

function gone(over: Partial<Parameters<typeof leftoverVolumes>[0]> = {}): string[] {
  return leftoverVolumes({
    namespace: 'production',
    deploy: failed,
    volumes: [listed('data', failed)],
    entries: [voided],
    containers: [],
    ...over,
  });
}

it('one that this deploy made, that no entry names, goes', () => {
  expect(gone()).toEqual(['data']);
  expect(gone({ entries: [release([], { volumes: [row('older')] }), voided] })).toEqual(['data']);
});

const job: LogEntry = {
  ...base,
  kind: 'job',
  n: 2,
  deploy: failed,
  service: 'migrate',
  template: 'a'.repeat(64),
  exitCode: 0,
};
const jobContainer = {
  identity: { namespace: 'production', service: 'm', slot: 'm.job', deploy: failed, spec: '', template: '', job: true },
};
const removed: LogEntry = {
  ...base,
  kind: 'removed',
  n: 2,
  deploy: other,
  planId: 'a'.repeat(64),
  volumes: [row('data')],
};

it.each<[string, Parameters<typeof gone>[0]]>([
  ['the log does not say that the deploy was voided', { entries: [] }],
  ['another deploy was voided', { entries: [{ ...voided, deploy: other }] }],
  ['it committed', { entries: [release([], { deploy: failed, n: 3 })] }],
  ['a release names it', { entries: [release([], { deploy: other, volumes: [row('data')] }), voided] }],
  [
    'a checkpoint of the same deploy names it',
    { entries: [release([], { deploy: failed, final: false, volumes: [row('data')] }), voided] },
  ],
  ['a removed namespace left it', { entries: [removed, voided] }],
  ['another deploy made it', { volumes: [listed('data', other)] }],
  ['nobody knows who made it', { volumes: [listed('data')] }],
  ['it is of another namespace', { volumes: [listed('data', failed, 'staging')] }],
  ['a job of the deploy ended: what it did counts as done', { entries: [job, voided] }],
  ['a job of the deploy is there still', { containers: [jobContainer] }],
])('stays when %s', (_, over) => {
  expect(gone(over)).toEqual([]);
});

it('stays when the log or the engine cannot be read, and nothing else is held up by that', async () => {
  const destroyed: string[] = [];
  const discard = async (over: Partial<Parameters<typeof createVolumeLeftovers>[0]>) =>
    await createVolumeLeftovers({
      volumes: {
        list: async () => [listed('data', failed)],
        destroy: async (_, volume, madeBy) => {
          destroyed.push(`${volume} of ${madeBy}`);
          return true;
        },
      },
      world: { containers: () => [] },
      log: { entries: async () => [voided] },
      logger: silentLogger,
      ...over,
    }).discard('production', failed);
  await discard({ log: { entries: () => Promise.reject(new Error('no state')) } });
  await discard({ world: { containers: () => null } });
  expect(destroyed).toEqual([]);
  await discard({});
  expect(destroyed).toEqual([`data of ${failed}`]);
});
