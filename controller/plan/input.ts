/** What a plan is made from, and what comes out: a plan, or every reason why there is none. */
import type { ErrorCode } from '../../schemas/errors.ts';
import type { Digest, Revision, ServiceName } from '../../schemas/names.ts';
import type { Machine } from '../../schemas/observed.ts';
import type { Plan } from '../../schemas/plan.ts';
import type { ManagedBy, Release, ReleaseRef, SlotRow, VolumeRow } from '../../schemas/release.ts';
import type { SecretVersions } from '../../schemas/secret.ts';
import type { Desired, ImageRef, ServiceSpec } from '../../schemas/service.ts';
import type { QuarantinedSpec } from './quarantine.ts';

/** A machine and what it offers. `memoryBytes` null: not known, so capacity is not checked. */
export interface MachineView {
  readonly machine: Machine;
  readonly memoryBytes: number | null;
  readonly cpuMillicores: number | null;
}

export interface PlanInput {
  readonly kind: Plan['kind'];
  readonly desired: Desired;
  readonly desiredDigest: Digest;
  readonly revision: Revision | null;
  readonly managedBy: ManagedBy;
  readonly rollbackTo: number | null;
  /** What the desired state was forked from; absent: what the live release says of that. */
  readonly forkedFrom?: ReleaseRef | undefined;
  /** Whose image digests it takes over; absent: nobody's. */
  readonly promotedFrom?: ReleaseRef | undefined;
  /** Highest log entry of the namespace, 0: none. */
  readonly tip: number;
  /** The live release with its specs by digest; null: nothing is live. */
  readonly released: { readonly release: Release; readonly specs: ReadonlyMap<Digest, ServiceSpec> } | null;
  readonly machines: readonly MachineView[];
  /** Pinned image of every desired service. */
  readonly images: Readonly<Record<ServiceName, ImageRef>>;
  /** Versions of the secrets that each desired service names; services without any are left out. */
  readonly secrets: Readonly<Record<ServiceName, SecretVersions>>;
  /** Jobs that ran to exit code 0: service and template digest. */
  readonly finishedJobs: readonly { readonly service: ServiceName; readonly template: Digest }[];
  /** Live releases of the other namespaces. */
  readonly others: readonly Release[];
  /** Where volumes of this namespace lie, also ones that an earlier release or a removed namespace left. */
  readonly volumeRows: readonly VolumeRow[];
  /** Rows whose containers are known to exist still, though the live release does not name them (blue-green hold): used again rather than started anew. */
  readonly keptRows: readonly SlotRow[];
  /** http(s) ports that the gateways hold themselves. */
  readonly gatewayPorts: readonly number[];
  readonly maxRemovePercent: number;
  /** Every plan of the namespace that changes something waits for an approval. */
  readonly approvalRequired: boolean;
  /** What a rollback took away: bringing it back needs consent. */
  readonly quarantined: readonly QuarantinedSpec[];
}

export interface PlanFailure {
  readonly code: ErrorCode;
  readonly service: ServiceName | null;
  readonly message: string;
}

export type PlanResult =
  | { readonly ok: true; readonly plan: Plan }
  | { readonly ok: false; readonly failures: readonly PlanFailure[] };
