/** What the desk of pull requests asks of previews: each call states what is wanted now, and may come twice or late. */
import type { Pull, PullNumber } from '../../schemas/forge.ts';
import type { Revision } from '../../schemas/names.ts';
import type { Settings } from '../../schemas/settings.ts';
import type { PreviewView } from '../comment/model.ts';
import type { FleetManifests } from '../fleet-manifests.ts';

export interface PreviewWish {
  readonly pull: Pull;
  /** Of the tracked branch, never of the pull request. */
  readonly settings: Settings;
  /** What the merge result says; null: it cannot be told now, so that what is there stays as it is. */
  readonly fleet: FleetManifests | null;
  /** The merge result, or the head when nothing could be merged. */
  readonly revision: Revision;
  /** A fork's pull request is previewed only at a head that somebody allowed. */
  readonly allowedHead: Revision | null;
  /** `/slipway destroy`: none until asked for again. */
  readonly stopped: boolean;
  /** When its head last moved, or a preview was asked for. */
  readonly pushedAt: string;
}

export interface Previews {
  /** Makes the preview be what the pull request asks for, or be gone; null: none is wanted, and none is there. */
  reconcile(wish: PreviewWish): Promise<PreviewView | null>;
  /** Closed, merged or told to: it goes, and the view says how far that is. */
  end(pull: PullNumber, why: string): Promise<PreviewView | null>;
  /**
   * Looks at all previews: time-outs, and those whose pull request is not open (its events were lost). Cheap. `askedAtMs`:
   * when it was asked which are open, so that what was opened and begun since then stays.
   */
  sweep(open: ReadonlySet<PullNumber>, askedAtMs: number): Promise<void>;
  view(pull: PullNumber): Promise<PreviewView | null>;
  /** Calls when a view may have changed, until the signal aborts. */
  onChange(changed: (pull: PullNumber) => void, signal: AbortSignal): void;
}
