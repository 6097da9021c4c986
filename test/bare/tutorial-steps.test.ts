/** How a tutorial is read: its steps, in order, and what fits what it promises. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { loadNamespaces } from '../../controller/manifest/load.ts';
import { parseSettings } from '../../controller/manifest/settings.ts';
import { fits, tutorialSteps } from './tutorial-steps.ts';

const GUIDE = `# Guide

\`\`\`sh
before
\`\`\`

## Tutorial

\`\`\`sh
cat > file <<'EOF'
## not a heading
EOF
\`\`\`

\`\`\`toml
a = 1
\`\`\`

### Part

\`\`\`sh again exits=4
curl http://localhost/
\`\`\`

It says:

\`\`\`text
hello
\`\`\`

\`\`\`sh first-terminal
npm start
\`\`\`

## Next

\`\`\`sh
after
\`\`\`
`;

describe('the steps of a tutorial', () => {
  it('are its sh blocks in order, each with the output that stands behind it', () => {
    const plain = { inFirstTerminal: false, isRepeated: false, exitCode: 0, output: null };
    expect(tutorialSteps(GUIDE, '## Tutorial')).toEqual([
      { ...plain, line: 9, script: "cat > file <<'EOF'\n## not a heading\nEOF" },
      { ...plain, line: 21, script: 'curl http://localhost/', isRepeated: true, exitCode: 4, output: 'hello' },
      { ...plain, line: 31, script: 'npm start', inFirstTerminal: true },
    ]);
  });

  it('are refused where a reader could not follow', () => {
    const guide = (body: string) => () => tutorialSteps(`## Tutorial\n${body}`, '## Tutorial');
    expect(guide('```text\nhello\n```')).toThrow('line 2: this output belongs to no step');
    expect(guide('```sh\na\n```\n```text\nb\n```\n```text\nc\n```')).toThrow('line 8: this output belongs to no step');
    expect(guide('```sh\na')).toThrow('line 2: this block is not closed');
    expect(guide('```sh agian\na\n```')).toThrow('"agian" is not a word for a step');
    expect(() => tutorialSteps('', '## Tutorial')).toThrow('there is no heading');
  });
});

describe('an output', () => {
  it.each([
    ['hello\n', 'hello'],
    ['hello   \n\n', 'hello'],
    ['release #12 of 2026 by me', 'release #… of … by me'],
    ['first\nsecond\nthird\nlast', 'first\n…\nlast'],
    ['first\nlast', 'first\n…\nlast'],
    ['web.0 (ready) [1]', 'web.0 (ready) [1]'],
    ['', '…'],
  ])('%j fits %j', (output, promised) => {
    expect(fits(output, promised)).toBe(true);
  });

  it.each([
    ['hello', 'hell'],
    ['hello', 'ello'],
    ['hello\nmore', 'hello'],
    ['more\nhello', 'hello'],
    ['one\ntwo', 'one…two'],
    ['webx0', 'web.0'],
    ['', 'hello'],
  ])('%j does not fit %j', (output, promised) => {
    expect(fits(output, promised)).toBe(false);
  });
});

describe('the tutorial of README', () => {
  const steps = async () => tutorialSteps(await readFile('README.md', 'utf8'), '## Tutorial');

  it('can be followed, and says what is printed', async () => {
    const all = await steps();
    expect(all.filter((it) => it.output !== null).length).toBeGreaterThan(10);
    // Nothing to wait for would mean that the first try decides.
    expect(all.filter((it) => it.isRepeated && it.output === null)).toEqual([]);
  });

  it('writes manifests without a problem', async () => {
    const scripts = (await steps()).map((it) => it.script).join('\n');
    const written = [...scripts.matchAll(/^cat > (\S+) <<'EOF'\n(.*?\n)EOF$/gms)];
    const files = written.map(([, path = '', text = '']) => ({ path, bytes: Buffer.from(text) }));
    const settings = files.find((it) => it.path === 'slipway.toml');
    const { settings: parsed, problems } = parseSettings(settings?.bytes ?? null);
    expect(problems).toEqual([]);
    if (parsed === null) throw new Error('settings without a problem');
    const loaded = loadNamespaces(files, parsed);
    expect(loaded.problems).toEqual([]);
    expect(loaded.desired.map((it) => [it.namespace, it.services.length])).toEqual([['shop', 6]]);
  });
});
