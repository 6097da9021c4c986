/** What is mounted where on this machine (proc(5), mountinfo). */
import { readFile } from 'node:fs/promises';

/** Mount points at or below the folder. */
export async function mountsWithin(folder: string): Promise<string[]> {
  return parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8')).filter(
    (it) => it === folder || it.startsWith(`${folder}/`),
  );
}

/** Mount points, the fifth field of each line; blanks and backslashes are written as `\ooo`. Pure. */
export function parseMountInfo(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line) => line.split(' ')[4] ?? [])
    .map((it) => it.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
}
