/** One JSON file that changes often: changes that come while it is being written share the next write. */
import { writeDurable } from '../store/durable-file.ts';

export interface DurableRecord<T> {
  /** The newest value; it may not be on the disk yet. */
  value(): T;
  /** Resolves once the result of this change, and of all before it, is on the disk. An unchanged value is not written. */
  change(edit: (value: T) => T): Promise<void>;
}

/** A record that begins with `initial`, which is what the file holds (or, without a file, means "nothing yet"). */
export function createDurableRecord<T>({ path, initial }: { path: string; initial: T }): DurableRecord<T> {
  let current = initial;
  let onDisk = initial;
  let writing: Promise<void> | null = null;

  async function write(): Promise<void> {
    const value = current;
    await writeDurable(path, JSON.stringify(value));
    onDisk = value;
  }

  async function settle(): Promise<void> {
    while (current !== onDisk) {
      writing ??= write().finally(() => {
        writing = null;
      });
      await writing;
    }
  }

  return {
    value: () => current,
    async change(edit) {
      current = edit(current);
      await settle();
    },
  };
}
