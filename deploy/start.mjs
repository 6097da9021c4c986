/** `npm start [-- ARGUMENTS]`: makes this machine ready, then is `slipway up ARGUMENTS`. */
import { asRoot, parseArguments, prepare, ROOT } from './command-line.mjs';
import { launch } from './launch.mjs';
import { runMain } from './setup/failure.mjs';

await runMain(async () => {
  const { yes, rest } = parseArguments(process.argv.slice(2));
  await prepare({ purpose: 'start', yes });
  const exitCode = await asRoot('deploy/start.mjs', rest);
  const argv = [process.execPath, 'dist/cli/main.js', 'up', ...rest];
  return exitCode ?? (await launch({ argv, cwd: ROOT, env: process.env }));
});
