/**
 * `node deploy/setup/bundle.mjs [FOLDER]`: one file a program, with the packages it uses, in dist/ or another folder.
 * Loading hundreds of small files takes three times as long as everything that a command does. Types are not checked
 * here: `npm run typecheck` does.
 */
import { readdir, rm, stat } from 'node:fs/promises';
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

/** A program that runs may still load parts of the build that it began with. */
const KEPT_MS = 24 * 3_600_000;

const outdir = process.argv[2] ?? 'dist';

/** Each of these runs by itself. Only the command has parts that are loaded when they are needed. */
for (const program of ['cli/main', 'agent/main', 'agent/dns/main']) {
  const { metafile } = await build({
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
    metafile: true,
  });
  await removeOld(join(ROOT, outdir, `${program}-parts`), Object.keys(metafile.outputs));
}

/**
 * Parts of earlier builds that nobody runs any more.
 *
 * @param {string} folder
 * @param {readonly string[]} current paths of this build's files
 */
async function removeOld(folder, current) {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((it) => !current.some((path) => path.endsWith(`/${it}`)))) {
    const path = join(folder, name);
    if ((await stat(path)).mtimeMs < Date.now() - KEPT_MS) await rm(path);
  }
}
