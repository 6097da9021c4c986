/** Builders for what the desk of pull requests asks of previews. */
import type { FleetManifests } from '../../../controller/fleet-manifests.ts';
import type { PreviewWish } from '../../../controller/previews/port.ts';
import type { Pull } from '../../../schemas/forge.ts';
import type { DesiredService } from '../../../schemas/service.ts';
import type { Settings } from '../../../schemas/settings.ts';
import { desiredService } from '../../builders/service.ts';
import { settingsOf } from '../manifest/fleet.ts';

export const HEAD = 'a'.repeat(40);
export const PUSHED_AT = '2026-01-01T00:00:00.000Z';

export function previewSettings(more = ''): Settings {
  return settingsOf(
    `[images]\nregistries = ["registry.example"]\n[previews]\nsource = "staging"\nhost = "{service}-pr-{number}.preview.acme.dev"\n${more}`,
  );
}

export function pullOf(over: Partial<Pull> = {}): Pull {
  return {
    number: 7,
    state: 'open',
    draft: false,
    title: 'a change',
    author: { id: 1, login: 'dev', bot: false },
    head: { branch: 'change', revision: HEAD, repositoryId: 1 },
    base: { branch: 'main', revision: 'b'.repeat(40), repositoryId: 1 },
    labels: [],
    mergeCommit: null,
    updatedAt: PUSHED_AT,
    ...over,
  };
}

export function fleetOf(services: readonly DesiredService[], over: Partial<FleetManifests> = {}): FleetManifests {
  return {
    revision: HEAD,
    settings: previewSettings(),
    desired: [{ namespace: 'staging', services: [...services], volumes: [] }],
    seeds: new Map(),
    invalid: new Set(),
    problems: [],
    notices: [],
    ...over,
  };
}

export function wishOf(over: Partial<PreviewWish> = {}): PreviewWish {
  return {
    pull: pullOf(),
    settings: previewSettings(),
    fleet: fleetOf([desiredService()]),
    revision: HEAD,
    allowedHead: null,
    stopped: false,
    pushedAt: PUSHED_AT,
    ...over,
  };
}
