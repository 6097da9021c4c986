/** `npm run test:bare [-- --test | --tutorial]`: makes this machine ready, then runs the proof in a host that has nothing. */
import { asRoot, parseArguments, prepare, ROOT } from './command-line.mjs';
import { launch } from './launch.mjs';
import { runMain } from './setup/failure.mjs';

await runMain(async () => {
  const { yes, rest } = parseArguments(process.argv.slice(2));
  await prepare({ purpose: 'bare', yes });
  const exitCode = await asRoot('deploy/bare.mjs', rest);
  const argv = [process.execPath, '--import', 'tsx', 'test/bare/main.ts', ...rest];
  return exitCode ?? (await launch({ argv, cwd: ROOT, env: process.env }));
});
