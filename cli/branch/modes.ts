/** `--service-mode`, `--volume-mode`, `--service N=MODE`, `--volume N=MODE` → modes of a fork. Pure. */
import { type ForkModes, SERVICE_MODES, VOLUME_MODES } from '../../controller/fork/modes.ts';
import { SlipwayError } from '../../schemas/errors.ts';

/** @throws USAGE for a mode that is none, by name */
export function modesOf(options: Readonly<Record<string, unknown>>): ForkModes {
  return {
    service: oneOf(SERVICE_MODES, options['serviceMode'] ?? 'fork', '--service-mode'),
    services: named(SERVICE_MODES, options['service'], '--service'),
    volume: options['volumeMode'] === undefined ? null : oneOf(VOLUME_MODES, options['volumeMode'], '--volume-mode'),
    volumes: named(VOLUME_MODES, options['volume'], '--volume'),
  };
}

function named<T extends string>(modes: readonly T[], given: unknown, option: string): Record<string, T> {
  const texts = Array.isArray(given) ? given.map(String) : [];
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.lastIndexOf('=');
      if (at < 1) throw new SlipwayError('USAGE', `${option} ${text} is not NAME=MODE, like ${option} web=${modes[0]}`);
      return [text.slice(0, at), oneOf(modes, text.slice(at + 1), option)];
    }),
  );
}

function oneOf<T extends string>(modes: readonly T[], mode: unknown, option: string): T {
  const found = modes.find((it) => it === mode);
  if (found !== undefined) return found;
  throw new SlipwayError('USAGE', `${option}: there is no mode ${String(mode)}; there are ${modes.join(' and ')}`);
}
