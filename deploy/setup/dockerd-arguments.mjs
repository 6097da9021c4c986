/** What a dockerd of our own is started with, and what another one was started with. Pure. */

/**
 * Where a dockerd with these arguments and settings keeps its data (dockerd(8), daemon.json).
 *
 * @param {readonly string[]} args
 * @param {string} settings text of daemon.json
 */
export function dataRootOf(args, settings) {
  const glued = args.find((it) => it.startsWith('--data-root='));
  if (glued !== undefined) return glued.slice('--data-root='.length);
  const at = args.findIndex((it) => it === '--data-root' || it === '-g');
  const next = at < 0 ? undefined : args[at + 1];
  return next ?? /"data-root"\s*:\s*"([^"]+)"/.exec(settings)?.[1] ?? '/var/lib/docker';
}

/**
 * Where our containers go in the control groups: below our own group when this machine is itself a container that sees
 * its host's groups. Two engines that both put theirs into /docker would disturb each other.
 *
 * @param {string} cgroups text of /proc/1/cgroup (cgroups(7): id:controllers:path)
 * @returns {readonly string[]}
 */
export function cgroupParentFor(cgroups) {
  const rows = cgroups.split('\n').map((it) => it.split(':'));
  const row = rows.find((it) => it[1]?.split(',').includes('memory')) ?? rows.find((it) => it[0] === '0');
  const path = row?.slice(2).join(':') ?? '/';
  const isWholeMachine = path === '' || path === '/' || path === '/init.scope';
  return isWholeMachine ? [] : [`--cgroup-parent=${path}/slipway`];
}
