/**
 * Makes docs/comment.png: the comment of a golden test as a forge shows it. `node deploy/picture.mjs [NAME [OUT]]`; needs
 * `chromium` and a font with emoji (Debian: chromium, fonts-noto-color-emoji). Run by hand when comments look different.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { micromark } from 'micromark';
import { gfm, gfmHtml } from 'micromark-extension-gfm';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const WIDTH_PIXELS = 900;
const PROFILE_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--hide-scrollbars',
  '--disable-background-networking',
];

const STYLE = `
  body { margin: 0; padding: 16px; background: #fff; color: #1f2328; font: 14px/1.5 "DejaVu Sans", "Noto Color Emoji", sans-serif }
  .comment { border: 1px solid #d1d9e0; border-radius: 6px }
  .author { background: #f6f8fa; border-bottom: 1px solid #d1d9e0; border-radius: 6px 6px 0 0; padding: 8px 16px; color: #59636e; font-size: 13px }
  .author b { color: #1f2328 } .bot { border: 1px solid #d1d9e0; border-radius: 9px; padding: 0 6px; font-size: 11px }
  .body { padding: 4px 16px 8px } h3 { font-size: 18px; margin: 12px 0 }
  table { border-collapse: collapse; margin: 12px 0 } th, td { border: 1px solid #d1d9e0; padding: 5px 11px; text-align: left; vertical-align: top }
  tr:nth-child(2n) td { background: #f6f8fa } thead:has(th:empty) { display: none }
  code { background: #eff1f3; border-radius: 5px; padding: 2px 5px; font: 85% "DejaVu Sans Mono", monospace }
  pre { background: #f6f8fa; border-radius: 6px; padding: 12px } pre code { background: none; padding: 0 }
  a { color: #0969da; text-decoration: underline } details { margin: 10px 0 } p { margin: 10px 0 } ul, ol { padding-left: 26px; margin: 8px 0 }`;

const [name = 'everything', out = 'docs/comment.png'] = process.argv.slice(2);
const markdown = await readFile(join(ROOT, `test/controller/comment/golden/${name}.md`), 'utf8');
const body = micromark(markdown, { extensions: [gfm()], htmlExtensions: [gfmHtml()], allowDangerousHtml: true });
const page = `<!doctype html><meta charset="utf-8"><style>${STYLE}</style>
<div class="comment"><div class="author"><b>slipway</b> <span class="bot">bot</span> commented</div><div class="body">${body}</div></div>
<script>document.title = String(Math.ceil(document.documentElement.getBoundingClientRect().height))</script>`;

const folder = await mkdtemp(join(tmpdir(), 'picture-'));
try {
  const file = join(folder, 'comment.html');
  await writeFile(file, page);
  const run = promisify(execFile);
  const common = [...PROFILE_FLAGS, `--user-data-dir=${join(folder, 'profile')}`];
  const url = pathToFileURL(file).href;
  // Once to learn how high it is, once to draw it.
  const { stdout } = await run('chromium', [...common, `--window-size=${WIDTH_PIXELS},600`, '--dump-dom', url]);
  const height = Number(/<title>(\d+)<\/title>/.exec(stdout)?.[1] ?? 1_200);
  const target = resolve(ROOT, out);
  await run('chromium', [...common, `--window-size=${WIDTH_PIXELS},${height}`, `--screenshot=${target}`, url]);
  process.stdout.write(`wrote ${target}, ${WIDTH_PIXELS} × ${height}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
