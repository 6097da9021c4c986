/** Options of `deploy service`. */
import { describe, expect, it } from 'vitest';
import { readPatchOptions } from '../../cli/patch-options.ts';

const read = (options: Record<string, unknown>) => readPatchOptions({ options });

describe('options of a patch', () => {
  it('name ports, mounts and variables as docker does', () => {
    expect(
      read({
        publish: ['8080:80', '53:5353/udp'],
        volume: ['data:/var/lib/data', '/srv/www:/www/:ro'],
        env: ['A=1', 'B=x=y', 'EMPTY='],
      }),
    ).toMatchObject({
      ports: [
        { hostPort: 8080, port: 80, protocol: 'tcp' },
        { hostPort: 53, port: 5353, protocol: 'udp' },
      ],
      mounts: [
        { source: 'data', target: '/var/lib/data', readonly: false },
        { source: '/srv/www', target: '/www', readonly: true },
      ],
      env: { A: '1', B: 'x=y', EMPTY: '' },
    });
  });

  it.each([
    ['publish', '80'],
    ['publish', '80:http'],
    ['publish', '80:80/sctp'],
    ['volume', 'data'],
    ['volume', 'data:relative'],
    ['volume', 'data:/x:rx'],
    ['env', '=1'],
  ])('%s %s is refused with what is wanted', (option, text) => {
    expect(() => read({ [option]: [text] })).toThrow(/want/);
  });

  it('a variable without a value is not repeated: it may be a secret in the wrong place', () => {
    expect(() => read({ env: ['hunter2'] })).toThrow(
      expect.not.objectContaining({ message: expect.stringMatching('hunter2') }),
    );
  });
});
