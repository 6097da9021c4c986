/** Live progress of a deploy: a redrawn block on a terminal, plain lines elsewhere, nothing with `--json`. */
import type { OnProgress, Progress } from '../controller/execute/progress.ts';
import { evidenceLines } from './evidence.ts';
import { type Output, printable } from './output.ts';

export interface ProgressView {
  readonly show: OnProgress;
  /** Leaves the last block on the screen. */
  done(): void;
}

/** @param prefix printed before each line, such as the namespace */
export async function createProgressView(output: Output, prefix: string): Promise<ProgressView> {
  if (output.json) return { show: () => {}, done: () => {} };
  return output.terminal ? await liveView(output, prefix) : plainView(output, prefix);
}

function plainView(output: Output, prefix: string): ProgressView {
  return {
    show: (it) => {
      const text = lineOf(it);
      if (text !== null) output.line(`${prefix} ${text}`);
    },
    done: () => {},
  };
}

async function liveView(output: Output, prefix: string): Promise<ProgressView> {
  // Nobody else pays for loading it.
  const { createLogUpdate } = await import('log-update');
  const update = createLogUpdate(process.stdout);
  const running = new Map<string, string>();
  let phase = '';
  const draw = () => {
    const steps = [...running]
      .slice(0, 12)
      .map(([id, text]) => `    ${output.colors.cyan('•')} ${id} ${output.colors.dim(text)}`);
    update([`${prefix} ${output.colors.bold(phase)}`, ...steps].join('\n'));
  };
  return {
    show: (it) => {
      if (it.kind === 'step') {
        if (it.state === 'done') running.delete(it.id);
        else running.set(it.id, printable(it.text));
        draw();
        return;
      }
      const text = lineOf(it);
      if (it.kind === 'phase') {
        running.clear();
        phase = text ?? '';
        draw();
      } else if (text !== null) {
        update.clear();
        output.line(`${prefix} ${text}`);
      }
    },
    done: () => {
      update.clear();
      update.done();
    },
  };
}

function lineOf(it: Progress): string | null {
  switch (it.kind) {
    case 'recovering':
      return `recovering deploy ${it.deploy}: ${it.text}`;
    case 'phase':
      return `[${it.index + 1}/${it.total}] ${printable(it.title)}`;
    case 'step':
      return it.state === 'done' ? `      ${it.id} done` : null;
    case 'committed':
      return it.final ? `committed as release #${it.n}` : `checkpoint: release #${it.n}`;
    case 'cleanup':
      return `still to do: ${printable(it.text)}`;
    case 'ended':
      return [
        `${it.state}: ${printable(it.message)}`,
        ...it.evidence.flatMap(evidenceLines).map((line) => `    ${printable(line)}`),
      ].join('\n');
  }
}
