/** `slipway doctor`: what is wrong on this machine, and what to do about it. */
import { type Finding, type FindingState } from '../doctor/finding.ts';
import { lookAround } from '../doctor/look.ts';
import { EXIT } from '../exit-codes.ts';
import { type Output, printable } from '../output.ts';
import type { CommandContext } from '../run-command.ts';

export async function doctor(context: CommandContext): Promise<number> {
  const { output, paths, signal } = context;
  const { found, findings } = await lookAround({ paths, env: process.env, signal });
  signal.throwIfAborted();
  const failed = findings.filter((it) => it.state === 'fail').length;
  const warned = findings.filter((it) => it.state === 'warn').length;
  output.result(
    { installation: found.kind === 'found' ? found.installation.id : null, healthy: failed === 0, checks: findings },
    () => {
      const width = Math.max(...findings.map((it) => it.name.length));
      for (const it of findings) print(output, it, width);
      output.line();
      if (found.kind === 'none') {
        output.line(`no installation in ${paths.root}: only the machine was looked at (\`slipway up\` makes one)`);
      }
      output.line(failed + warned === 0 ? 'nothing is wrong' : `${failed} failed, ${warned} to look after`);
    },
  );
  return failed === 0 ? EXIT.ok : EXIT.failed;
}

const PAINT = {
  ok: 'green',
  info: 'cyan',
  skip: 'dim',
  warn: 'yellow',
  fail: 'red',
} as const satisfies Record<FindingState, keyof Output['colors']>;

function print(output: Output, { name, state, detail, next }: Finding, width: number): void {
  const paint = output.colors[PAINT[state]];
  output.line(`${paint(state.padEnd(4))}  ${printable(name).padEnd(width)}  ${printable(detail)}`);
  if (next !== null) output.line(`      do: ${printable(next)}`);
}
