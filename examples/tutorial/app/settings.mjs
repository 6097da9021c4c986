/** What the manifest tells the shop's programs, read from the environment. */
import { readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';

const { env } = process;

/** Version of the image, which its build sets. */
export const version = env['VERSION'] ?? 'dev';

/** Which container this is, for people. */
export const instance = hostname();

/** Currency of the prices, `[env]` of slipway.toml by way of the manifest. */
export const currency = env['CURRENCY'] ?? '';

/** Where the database is; its password is text in a variable, or a file that another variable names. */
export const database = {
  host: env['DB_HOST'] ?? 'db',
  port: Number(env['DB_PORT'] ?? 6379),
  password: env['DB_PASSWORD'] ?? readPassword(env['DB_PASSWORD_FILE']),
};

const MIGRATIONS = new URL('migrations/', import.meta.url);

/** Files of the migrations in this image, in order; `002-prices.mjs` makes schema 2. */
export const migrations = readdirSync(MIGRATIONS)
  .filter((it) => /^\d{3}-.*\.mjs$/.test(it))
  .toSorted()
  .map((it) => ({ schema: Number(it.slice(0, 3)), url: new URL(it, MIGRATIONS) }));

/** The schema that this image's programs need. */
export const neededSchema = migrations.at(-1)?.schema ?? 0;

/** One line of the log. @param {string} line */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** @param {string | undefined} file */
function readPassword(file) {
  if (file === undefined) throw new Error('set DB_PASSWORD or DB_PASSWORD_FILE');
  return readFileSync(file, 'utf8');
}
