/** `slipway deploy service`: a patch over the live release; what it does not name stays. */
import { liveReleases } from '../../controller/execute/preflight.ts';
import { locate } from '../../controller/patch/locate.ts';
import { needsSettings, type ServicePatch } from '../../controller/patch/patch.ts';
import type { Settings } from '../../schemas/settings.ts';
import { connect } from '../connect.ts';
import { defaultSettings, settingsFor } from '../desired.ts';
import { readPatchOptions } from '../patch-options.ts';
import { patchService } from '../patch-service.ts';
import { type CommandContext, textOption } from '../run-command.ts';
import { variablesOf, withVariables } from '../variables.ts';

export async function deployService(context: CommandContext): Promise<number> {
  const asked = readPatchOptions(context);
  await using connection = await connect(context);
  const [name = null] = context.args;
  const { namespace, service } = locate(
    { name, namespace: textOption(context, 'namespace') ?? null, hostname: asked.hostname },
    await liveReleases(connection, ''),
  );
  const patch: ServicePatch = { ...asked, service };
  const variables = variablesOf(context);
  const settings = withVariables(needsSettings(patch) ? await settingsFor(connection) : defaultSettings(), variables);
  return await patchService(context, connection, {
    namespace,
    patch,
    settings: context.options['allowBind'] === true ? withBindMounts(settings, namespace) : settings,
    why: `service ${service} deployed by hand`,
    refreshImages: context.options['pull'] === true,
  });
}

/** The person at the machine's own command line may say what the policy of the fleet does not. */
function withBindMounts(settings: Settings, namespace: string): Settings {
  const { policy } = settings;
  return { ...settings, policy: { ...policy, bindMounts: [...policy.bindMounts, namespace] } };
}
