/** What a printed manifest asks for is exactly what was printed: for every field that works. */
import { expect, it } from 'vitest';
import { MANIFEST_FIELDS } from '../../../controller/manifest/field-table.ts';
import { printManifest } from '../../../controller/manifest/print-manifest.ts';
import { EXAMPLES } from './field-examples.ts';
import { load, settingsOf } from './fleet.ts';

const POLICIES = ['bind_mounts', 'privileged', 'host_network', 'cap_add', 'pid_host'];
const settings = settingsOf(
  `env = { REGION = "eu" }\n[policy]\n${POLICIES.map((it) => `${it} = ["production"]`).join('\n')}\n`,
);

it.each(MANIFEST_FIELDS.filter((it) => it.status === 'works').map((it) => it.path))('%s', (path) => {
  const { service, template, volume, root } = EXAMPLES[path] ?? {};
  const web = { name: 'web', ...service, template: { image: 'shop:1', ...template } };
  const services = [web, { name: 'db', template: { image: 'db:1' } }];
  const written = { namespace: 'production', services, volumes: [{ name: 'data', ...volume }], ...root };
  const [desired] = load({ 'production.json': JSON.stringify(written) }, settings).desired;
  if (desired === undefined) throw new Error(`the example of ${path} is not valid`);
  const { manifest, toml } = printManifest(desired);
  const again = [{ 'production.json': JSON.stringify(manifest) }, { 'production.toml': toml }];
  for (const files of again) {
    const { desired: back, problems } = load(files, settings);
    expect(problems).toEqual([]);
    expect(back).toEqual([desired]);
  }
});
