/** Deployments: "View deployment" on the pull request. */
import { z } from 'zod';
import { isSlipwayError } from '../../../schemas/errors.ts';
import type { EnvironmentArgs } from '../port.ts';
import { DeploymentAnswer } from './answers.ts';
import type { Call } from './client.ts';
import { ensureMade } from './ensure-made.ts';
import { shortDescription } from './texts.ts';

const ALL = '/repos/{owner}/{repo}/deployments';
const STATUSES = `${ALL}/{deployment_id}/statuses`;

const StateAnswer = z.object({ state: z.string(), environment_url: z.string().nullish() });

/** See the port. */
export async function setEnvironment(call: Call, args: EnvironmentArgs): Promise<void> {
  const deployments = await deploymentsOf(call, args.environment, args.state === 'inactive');
  if (args.state === 'inactive') {
    for (const it of deployments) await setState(call, it, { ...args, url: null });
    return;
  }
  const [newest] = deployments;
  const current = newest?.sha === args.revision ? newest : await deploy(call, args);
  await setState(call, current, args);
  if (args.state !== 'success') return;
  // GitHub's auto_inactive passes over transient environments; those before the last closed one are closed already.
  for (const older of deployments.filter((it) => it.id < current.id)) {
    if (!(await setState(call, older, { ...args, state: 'inactive', url: null }))) return;
  }
}

/** Newest first; the newest hundred, or all. */
async function deploymentsOf(call: Call, environment: string, all: boolean): Promise<DeploymentAnswer[]> {
  const found = await call.list(z.array(DeploymentAnswer), `GET ${ALL}`, { environment }, () => !all);
  return found.filter((it) => it.environment === environment).toSorted((a, b) => b.id - a.id);
}

/**
 * A deployment of a branch is what the pull request's page shows; its branch may have moved, though, and then the
 * revision itself is named.
 */
async function deploy(call: Call, args: EnvironmentArgs): Promise<DeploymentAnswer> {
  if (args.branch !== null) {
    const ofBranch = await create(call, args, args.branch).catch((error: unknown) => {
      // The branch is gone, or its name is not taken.
      if (isSlipwayError(error, 'FORGE_INVALID')) return null;
      throw error;
    });
    if (ofBranch?.sha === args.revision) return ofBranch;
    if (ofBranch !== null) await setState(call, ofBranch, { ...args, state: 'inactive', url: null });
  }
  return await create(call, args, args.revision);
}

async function create(call: Call, args: EnvironmentArgs, ref: string): Promise<DeploymentAnswer> {
  const newest = async () => (await deploymentsOf(call, args.environment, false))[0] ?? null;
  const before = (await newest())?.id ?? 0;
  const body = {
    ref,
    environment: args.environment,
    description: shortDescription(args.description),
    auto_merge: false,
    required_contexts: [],
    transient_environment: true,
    production_environment: false,
  };
  const value = await ensureMade({
    // By an earlier request that seemed to fail.
    find: async () => {
      const found = await newest();
      return found !== null && found.id > before ? found : null;
    },
    make: () => call.send(DeploymentAnswer, `POST ${ALL}`, body),
    pause: () => call.pause(),
  });
  return value;
}

/** Whether anything had to be said. */
async function setState(
  call: Call,
  deployment: DeploymentAnswer,
  { state, url, description }: Pick<EnvironmentArgs, 'state' | 'url' | 'description'>,
): Promise<boolean> {
  let said = false;
  const place = { deployment_id: deployment.id };
  await ensureMade({
    find: async () => {
      const newest = await call.list(z.array(StateAnswer), `GET ${STATUSES}`, { ...place, per_page: 1 }, () => true);
      const [last] = newest;
      return last?.state === state && (last.environment_url ?? '') === (url ?? '') ? last : null;
    },
    make: () => {
      said = true;
      const link = url === null ? {} : { environment_url: url };
      const body = { ...place, state, description: shortDescription(description), auto_inactive: true, ...link };
      return call.send(StateAnswer, `POST ${STATUSES}`, body);
    },
    pause: () => call.pause(),
  });
  return said;
}
