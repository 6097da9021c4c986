/** The table of checks: what is looked at, in the order in which it is told. */
import { checkAgent, checkReport } from './agent.ts';
import { checkSkew, checkTimeSync } from './clock.ts';
import { checkController, checkHookPort, checkSource } from './controller.ts';
import type { InstallationDeps, MachineDeps } from './deps.ts';
import { checkDockerDisk, checkStateDisk } from './disk.ts';
import { checkDocker } from './docker.ts';
import type { Check } from './examine.ts';
import { checkGateway } from './gateway.ts';
import { checkKeys } from './keys.ts';
import { checkNats } from './nats.ts';
import { checkBridge, checkFilter, checkResolver } from './network.ts';
import { checkProblems } from './problems.ts';
import { checkPrograms } from './programs.ts';

/** Of any machine, with or without an installation; by the name that a check which breaks is told under. */
export const MACHINE_CHECKS: Readonly<Record<string, Check<MachineDeps>>> = {
  programs: checkPrograms,
  docker: checkDocker,
  disk: checkDockerDisk,
  'time sync': checkTimeSync,
};

/** Of an installation. */
export const INSTALLATION_CHECKS: Readonly<Record<string, Check<InstallationDeps>>> = {
  'state disk': checkStateDisk,
  keys: checkKeys,
  nats: checkNats,
  clock: checkSkew,
  agent: checkAgent,
  'agent report': checkReport,
  gateway: checkGateway,
  resolver: checkResolver,
  bridge: checkBridge,
  'packet filter': checkFilter,
  controller: checkController,
  'hook port': checkHookPort,
  source: checkSource,
  problems: checkProblems,
};
