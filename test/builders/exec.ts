/** Builder for exec orders. */
import type { ExecOrder } from '../../schemas/exec.ts';
import { deployId } from './release.ts';

/** `ls` in production/web.0 on m1, asked for just now. */
export function execOrder(overrides: Partial<ExecOrder> = {}): ExecOrder {
  return {
    installation: '0123abcd',
    machine: 'm1',
    id: crypto.randomUUID(),
    at: new Date().toISOString(),
    actor: 'cli/ada',
    namespace: 'production',
    slot: 'web.0',
    deploy: deployId(1),
    argv: ['ls'],
    env: [],
    user: null,
    stdin: false,
    terminal: null,
    inbox: ['inbox', crypto.randomUUID()],
    ...overrides,
  };
}
