/** One agent a state folder: a second one would undo what the first does. */
import { open, rm } from 'node:fs/promises';
import { SlipwayError } from '../schemas/errors.ts';
import { isAlive, processRecord, readProcessRecord } from '../store/process-record.ts';

/** The file names this process and its build. @throws SETUP_FAILED while the process that it named before lives. */
export async function claim(path: string, build: string): Promise<void> {
  const own = await processRecord(process.pid);
  if (own === null) throw new Error('this process cannot be found in /proc');
  for (;;) {
    try {
      const file = await open(path, 'wx', 0o600);
      await file.writeFile(JSON.stringify({ ...own, build }));
      await file.sync();
      await file.close();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const holder = await readProcessRecord(path);
      if (holder !== null && (await isAlive(holder)))
        throw new SlipwayError('SETUP_FAILED', `an agent of this installation runs already (process ${holder.pid})`);
      await rm(path, { force: true });
    }
  }
}
