/** Scalars of manifests and settings as users write them: what each must look like, said in words that complete "is not …". */
import { z } from 'zod';
import { LABEL } from './names.ts';
import { SECRET_NAME } from './secret.ts';

/** What is read from a repository at most. */
export const LIMITS = {
  fileBytes: 1024 * 1024,
  files: 2000,
  depth: 32,
  /** Of one list or table. Readers compare the keys of a table with each other. */
  membersOfOne: 2000,
  /** Of all lists and tables of a file. */
  membersOfFile: 30_000,
  yamlAliases: 100,
  yamlLexemes: 200_000,
  problemsPerFile: 100,
} as const;

/** A string of a form; `wanted` completes the sentence "… is not". Patterns are linear in their input and bound its length. */
export function text(pattern: RegExp, wanted: string) {
  return z.string().regex(pattern, { error: wanted });
}

export const Name = text(
  LABEL,
  'a name: 1 to 63 of a-z, 0-9, "-" and "_", beginning and ending with a letter or digit',
);

const DURATION = /^\d{1,9}(?:ms|s|m|h|d)(?: ?\d{1,9}(?:ms|s|m|h|d)){0,4}$/;
export const Duration = text(DURATION, 'a duration like "10s", "500ms" or "1m30s"');

const SIZE = /^\d{1,12}(?:B|[KMGT]i?|[kMGT]B)?$/;
export const Size = text(SIZE, 'a size like "256Mi", "2G" or "500MB"');

const CPU = /^(?:\d{1,7}m|\d{1,4}(?:\.\d{1,3})?)$/;
export const Cpu = text(CPU, 'an amount of CPU like "500m", "0.5" or "2"');

export const Percent = text(/^(?:100|\d{1,2})%$/, 'a share from "0%" to "100%"');

export const Port = z.int().min(1).max(65535);

const HOST_LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
export const Hostname = text(
  new RegExp(`^(?=.{1,253}$)${HOST_LABEL}(?:\\.${HOST_LABEL})*$`),
  'a hostname in lower case, without port and wildcard, like "shop.example.com"',
);

export const PathPrefix = text(
  /^\/(?!.*(?:\/\/|\/\.{1,2}(?:\/|$)))[A-Za-z0-9._~%+@:/-]{0,255}$/,
  'a path that begins with "/", without "..", "//" and spaces',
);

export const ProbePath = text(/^\/[!-~]{0,1023}$/, 'a path that begins with "/", without spaces');

const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const REGISTRY = '[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,253}[a-zA-Z0-9])?(?::\\d{1,5})?';
export const Image = text(
  new RegExp(
    `^(?=.{1,512}$)(?:${REGISTRY}/)?${COMPONENT}(?:/${COMPONENT})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
  ),
  'an image like "ghcr.io/acme/shop:1.2"',
);

export const AbsolutePath = text(
  /^\/(?!(?:.*\/)?\.{1,2}(?:\/|$))[ -9;-~\u00a0-\uffff]{1,1023}$/,
  'an absolute path without "..", ":" and control characters, and not "/" itself',
);

export const EnvName = text(
  /^[A-Za-z_][A-Za-z0-9_.-]{0,254}$/,
  'the name of an environment variable: letters, digits, "_", "." and "-", not beginning with a digit',
);

export const LabelName = text(
  /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,253}[A-Za-z0-9])?$/,
  'the name of a label: letters, digits, ".", "_", "/" and "-"',
);

export const SysctlName = text(/^[a-z0-9_]+(?:[./][a-z0-9_-]+){1,8}$/, 'the name of a kernel parameter');

export const Capability = text(/^(?:CAP_)?[A-Z][A-Z_]{1,40}$/, 'a capability like "NET_ADMIN", or "ALL"');

export const User = text(
  /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,62})?$/,
  'a user like "1000", "1000:1000" or "app"',
);

export const Secret = text(
  SECRET_NAME,
  'the name of a secret: 1 to 63 of letters, digits, ".", "_" and "-", beginning and ending with a letter or digit',
);

export const Mode = text(/^[0-7]{3,4}$/, 'an octal mode like "0750", in quotes');
export const Owner = text(/^\d{1,9}:\d{1,9}$/, 'a numeric owner like "1000:1000"');
export const ImageDigest = text(/^sha256:[0-9a-f]{64}$/, 'a digest like "sha256:…" with 64 hex digits');
