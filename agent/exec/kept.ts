/** Which commands of people run in containers, on disk: an agent that was killed left them, the next one ends them. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../schemas/logger.ts';
import { type Command, isSame, signalCommand } from './processes.ts';

export interface KeptCommands {
  keep(id: string, command: Command): Promise<void>;
  forget(id: string): Promise<void>;
  /** Kills what an earlier agent left. */
  endLeft(): Promise<void>;
}

/** One small file a command. Nothing is fsynced: a machine that loses power loses the processes too. */
export function createKeptCommands({ folder, log }: { readonly folder: string; readonly log: Logger }): KeptCommands {
  const path = (id: string) => join(folder, `${id}.json`);
  return {
    async keep(id, command) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(path(id), JSON.stringify(command), { mode: 0o600 });
    },
    forget: async (id) => await rm(path(id), { force: true }),
    async endLeft() {
      for (const name of await readdir(folder).catch(() => [])) {
        try {
          const command = JSON.parse(await readFile(join(folder, name), 'utf8')) as Command;
          const killed = (await isSame(command)) ? signalCommand(command, 'SIGKILL') : 0;
          if (killed > 0) log.info({ killed }, 'a command that an earlier agent left in a container was ended');
        } catch (error) {
          log.debug({ err: error, name }, 'a kept command cannot be read');
        }
        await rm(join(folder, name), { force: true });
      }
    },
  };
}
