/**
 * Writes the generated files: JSON Schemas and the table of fields. `npx tsx deploy/generate.ts [--check]`; with
 * `--check` it writes nothing and fails when one of them is out of date.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedFiles } from '../controller/manifest/field-docs.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const isCheck = process.argv.includes('--check');

for (const [path, text] of Object.entries(generatedFiles())) {
  const present = await readFile(join(root, path), 'utf8').catch(() => null);
  if (present === text) continue;
  if (isCheck) {
    process.stderr.write(`${path} is out of date: run npx tsx deploy/generate.ts\n`);
    process.exitCode = 1;
  } else {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
    process.stdout.write(`wrote ${path}\n`);
  }
}
