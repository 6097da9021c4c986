/** A command in a container of the fake engine: it gives its input back, and ends with it. */
import type { Inside, InsideOptions } from '../../agent/docker/port.ts';

export function createInside({ argv, stdin }: InsideOptions): Inside {
  const waiting: Buffer[] = stdin ? [] : [Buffer.from(argv.join(' '))];
  let over = !stdin;
  let wake = () => {};
  const end = () => {
    over = true;
    wake();
  };
  async function* output() {
    for (;;) {
      const bytes = waiting.shift();
      if (bytes !== undefined) yield { stream: 'stdout' as const, bytes };
      else if (over) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }
  return {
    output: output(),
    async write(bytes) {
      waiting.push(bytes);
      wake();
    },
    endInput: end,
    resize: async () => {},
    state: async () => ({ pid: null, exitCode: over ? 0 : null }),
    close: end,
  };
}
