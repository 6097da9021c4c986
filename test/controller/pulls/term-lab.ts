/** The desk lab with a fleet of staging and production, previews of staging, and terms of controllers that follow it. */
import { expect, vi } from 'vitest';
import type { PullRecord } from '../../../schemas/forge.ts';
import type { Release } from '../../../schemas/release.ts';
import { ServiceSpec } from '../../../schemas/service.ts';
import { createDeskLab, type DeskLab, manifest } from './lab.ts';
import { beginTerm, serveAgents, type Term, type TermOptions } from './term.ts';

export interface TermLab {
  readonly lab: DeskLab;
  /** Another controller leads from here on, until it is ended or the lab is closed. */
  readonly begin: (options?: TermOptions) => Term;
  readonly live: (namespace: string) => Promise<Release | null>;
  /** What the services of the live release answer. */
  readonly version: (namespace: string) => Promise<string>;
  readonly recordOf: (number: number) => Promise<PullRecord | null>;
  /** Commits slipway.toml to the tracked branch. */
  readonly settings: (text: string) => Promise<string>;
  /** Both namespaces are at version 1. */
  readonly liveAtFirst: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export const PREVIEWS = '[previews]\nsource = "staging"\nhost = "{service}-pr-{number}.preview.test"\n';

/** The manifest of staging at a version, as a change. */
export const staging = (value: string) => ({ 'namespaces/staging.json': manifest('staging', value) });

export async function later(check: () => void | Promise<void>, timeout = 10_000): Promise<void> {
  await vi.waitFor(check, { timeout, interval: 10 });
}

export async function createTermLab(): Promise<TermLab> {
  const lab = await createDeskLab({ startsAt: new Date().toISOString() });
  const terms: Term[] = [];
  serveAgents(lab);
  lab.forge.permissions.set('alice', 'write').set('bob', 'admin');
  await lab.commit('main', {
    'slipway.toml': PREVIEWS,
    ...staging('1'),
    'namespaces/production.json': manifest('production', '1'),
  });
  const live = async (namespace: string) => await lab.store.log.live(namespace);
  const version = async (namespace: string) => {
    const digests = Object.values((await live(namespace))?.services ?? {});
    const specs = await Promise.all(digests.map((it) => lab.store.specs.get(it)));
    return specs.map((it) => ServiceSpec.parse(it).template.env['VERSION']).join();
  };
  return {
    lab,
    live,
    version,
    begin(options) {
      const term = beginTerm(lab, options);
      terms.push(term);
      return term;
    },
    recordOf: async (number) => await lab.records.get(number),
    settings: async (text) => await lab.commit('main', { 'slipway.toml': text }),
    async liveAtFirst() {
      await later(async () => expect(await version('staging')).toBe('1'));
      await later(async () => expect(await version('production')).toBe('1'));
    },
    async close() {
      for (const it of terms) await it.end();
      await lab.close();
    },
  };
}
