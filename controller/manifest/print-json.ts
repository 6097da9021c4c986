/** JSON as the formatter of this repository writes it, so that generated files pass its check. Pure. */

const LINE_WIDTH = 120;

/** The value as formatted JSON with a newline at the end: lists of plain values on one line where they fit. */
export function printJson(value: unknown): string {
  return `${print(value, '', 0)}\n`;
}

function print(value: unknown, indent: string, used: number): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const line = `[${value.map((it) => JSON.stringify(it)).join(', ')}]`;
    const isPlain = value.every((it) => typeof it !== 'object' || it === null);
    if (isPlain && used + line.length < LINE_WIDTH) return line;
    return `[\n${value.map((it) => `${inner}${print(it, inner, inner.length)}`).join(',\n')}\n${indent}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, it]) => it !== undefined);
  if (members.length === 0) return '{}';
  const lines = members.map(([key, it]) => {
    const start = `${inner}${JSON.stringify(key)}: `;
    return `${start}${print(it, inner, start.length)}`;
  });
  return `{\n${lines.join(',\n')}\n${indent}}`;
}
