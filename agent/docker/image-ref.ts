/** Image references as people write them: `nginx`, `ghcr.io/acme/web:1.2`, `host:5000/x@sha256:…`. Pure. */
import { SlipwayError } from '../../schemas/errors.ts';

export interface ImageName {
  /** Host of the registry as Docker calls it; `docker.io` when none is written. */
  readonly registry: string;
  /** As Docker writes it in `RepoDigests`: `nginx`, `ghcr.io/acme/web`. */
  readonly repo: string;
  readonly tag: string | null;
  readonly digest: string | null;
}

// Source: distribution/reference. Upper case is allowed in tags only; `..` can never occur.
const SHAPE = /^([a-z0-9]+(?:[._:/-]+[a-z0-9]+)*?)(?::([\w][\w.-]{0,127}))?(?:@(sha256:[0-9a-f]{64}))?$/;
const ID = /^(?:sha256:)?[0-9a-f]{12,64}$/;

/** @throws IMAGE_NOT_FOUND when the text cannot name an image. */
export function parseImageName(text: string): ImageName {
  const match = text.includes('..') || text.length > 512 ? null : SHAPE.exec(text);
  if (match === null) throw new SlipwayError('IMAGE_NOT_FOUND', `"${text.slice(0, 200)}" is not the name of an image`);
  const [, written = '', tag = null, digest = null] = match;
  const first = written.split('/')[0] ?? '';
  const hosted = written.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  const repo = written.replace(/^docker\.io\//, '').replace(/^library\//, '');
  return { registry: hosted && first !== 'index.docker.io' ? first : 'docker.io', repo, tag, digest };
}

/** The reference itself, when it is safe in a path of the engine's API. @throws IMAGE_NOT_FOUND. */
export function checkedRef(ref: string): string {
  if (!ID.test(ref)) parseImageName(ref);
  return ref;
}
