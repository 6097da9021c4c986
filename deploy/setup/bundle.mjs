/**
 * `node deploy/setup/bundle.mjs [FOLDER]`: one file a program, with the packages it uses, in dist/ or another folder.
 * Loading hundreds of small files takes three times as long as everything that a command does. Types are not checked
 * here: `npm run typecheck` does.
 */
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Packages of the old kind expect these. */
const OLD_KIND = [
  "import { createRequire as slipwayRequire } from 'node:module';",
  "import { dirname as slipwayDirname } from 'node:path';",
  "import { fileURLToPath as slipwayPath } from 'node:url';",
  'const require = slipwayRequire(import.meta.url);',
  'const __filename = slipwayPath(import.meta.url);',
  'const __dirname = slipwayDirname(__filename);',
].join('\n');

const outdir = process.argv[2] ?? 'dist';
await rm(join(ROOT, outdir), { recursive: true, force: true });

/** Each of these runs by itself. Only the command has parts that are loaded when they are needed. */
for (const program of ['cli/main', 'agent/main', 'agent/dns/main']) {
  await build({
    absWorkingDir: ROOT,
    entryPoints: { [program]: `${program}.ts` },
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: `${program}-parts/[name]-[hash]`,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: true,
    banner: { js: OLD_KIND },
    // Optional native parts of ssh2; it does without them.
    external: ['*.node', 'cpu-features'],
    logLevel: 'warning',
  });
}
