/** The vault on a real disk: what is kept can be opened after a restart, and what nothing pins is forgotten. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openVault, type VaultDeps } from '../../../agent/secrets/vault.ts';
import { generateMachineKeys, type MachineKeys, sealForMachine } from '../../../trust/seal.ts';
import { serviceSpec } from '../../builders/service.ts';

let folder: string;
let keys: MachineKeys;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-vault-'));
  keys = await generateMachineKeys();
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

const vaultAt = async (name: string, onOpened: VaultDeps['onOpened'] = () => {}) =>
  await openVault({
    path: join(folder, name),
    installation: '0a1b2c3d',
    keys: async () => keys,
    trace: () => {},
    onOpened,
  });
const boxed = async (name: string, version: number, value: string) => ({
  name,
  version,
  ...(await sealForMachine(Buffer.from(value), keys.publicKey, {
    installation: '0a1b2c3d',
    namespace: 'production',
    name,
    version,
  })),
});
const pins = (secrets: Record<string, number>) => new Map([['production', [serviceSpec({ template: { secrets } })]]]);

it('opens after a restart what was kept before it, and tells every value at the start', async () => {
  await (await vaultAt('restart.json')).keep('production', [
    await boxed('db', 1, 'first'),
    await boxed('db', 2, 'second'),
  ]);
  const told: string[] = [];
  const again = await vaultAt('restart.json', (name, value) => told.push(`${name} ${value.toString()}`));

  expect(told.toSorted()).toEqual(['db first', 'db second']);
  expect((await again.open('production', 'db', 2)).toString()).toBe('second');
  expect(await readFile(join(folder, 'restart.json'), 'utf8')).not.toContain('second');
});

it('says by name what never reached the machine', async () => {
  const vault = await vaultAt('missing.json');
  await expect(vault.open('production', 'db', 7)).rejects.toThrow(/version 7 of secret db of production never reached/);
});

it('forgets versions that nothing pins, but not at the first look', async () => {
  const vault = await vaultAt('forget.json');
  await vault.keep('production', [await boxed('db', 1, 'first'), await boxed('db', 2, 'second')]);

  await vault.forget(pins({ db: 2 }));
  expect((await vault.open('production', 'db', 1)).toString()).toBe('first');
  await vault.forget(pins({ db: 2 }));
  await expect(vault.open('production', 'db', 1)).rejects.toThrow(/never reached/);
  expect((await vault.open('production', 'db', 2)).toString()).toBe('second');
});
