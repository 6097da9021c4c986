/** TOML text → value and places, or the problem that stops reading. Pure. */
import { parse, TomlError } from 'smol-toml';
import { LIMITS } from '../../schemas/manifest-values.ts';
import type { Parsed } from './parsed.ts';
import { tomlPlaces } from './toml-places.ts';

/** Reads TOML 1.1; what the parser refuses becomes one problem with its line and column. */
export function readToml(text: string): Parsed {
  try {
    const value = parse(text, { maxDepth: LIMITS.depth });
    return { ok: true, value, root: tomlPlaces(text) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const said = (error.message.split('\n')[0] ?? '').replace('Invalid TOML document: ', '');
    const message = said.includes('excessively nested') ? `nested deeper than ${LIMITS.depth} levels` : said;
    return {
      ok: false,
      faults: [{ place: { line: error.line, column: error.column }, message: `not valid TOML: ${message}` }],
    };
  }
}
