/** What checks look at the machine with. */
import type { Engine } from '../../agent/docker/port.ts';
import type { Installation, StatePaths } from '../../schemas/installation.ts';
import type { NatsView } from '../../store/inspect.ts';
import type { Store } from '../../store/port.ts';

/** Enough for what needs no installation. */
export interface MachineDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly socketPath: string;
  readonly engine: Pick<Engine, 'info' | 'listNetworks'>;
  /** The installation has a NATS server of its own; true without an installation. */
  readonly embeddedNats: boolean;
}

export interface InstallationDeps extends MachineDeps {
  readonly paths: StatePaths;
  readonly installation: Installation;
  readonly now: () => number;
  /** The server as it is; asked once, for all checks. @throws STATE_UNAVAILABLE, SETUP_FAILED */
  readonly nats: () => Promise<NatsView>;
  /** The records; connected once, for all checks. @throws STATE_UNAVAILABLE, SETUP_FAILED */
  readonly store: () => Promise<Store>;
}
