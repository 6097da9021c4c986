/** What one machine still has of a namespace, asked of docker, HAProxy, nft and the file system themselves. */
import { z } from 'zod';

export const NamespaceInventory = z.strictObject({
  /** Names of containers, running or not, jobs too. */
  containers: z.array(z.string()),
  /** Servers of HAProxy that lead to its containers, or to none that is there. */
  servers: z.array(z.string()),
  /** Entries of HAProxy's map of routes for its hostnames. */
  routes: z.array(z.string()),
  /** Sets of the packet filter that are its own, with how many addresses they have. */
  filter: z.array(z.string()),
  volumes: z.array(z.string()),
  /** Files and folders of the machine's own state that name it. */
  files: z.array(z.string()),
});
export type NamespaceInventory = z.infer<typeof NamespaceInventory>;

/** The kinds of things, in the order in which they are told, with their words for one and for several. */
export const INVENTORY_WORDS: Readonly<Record<keyof NamespaceInventory, readonly [string, string]>> = {
  containers: ['container', 'containers'],
  volumes: ['volume', 'volumes'],
  routes: ['route', 'routes'],
  servers: ['gateway server', 'gateway servers'],
  filter: ['packet filter set', 'packet filter sets'],
  files: ['file', 'files'],
};
