/** Exit codes of every command (documented in the README). */
export const EXIT = { ok: 0, failed: 1, changes: 2, refused: 4, usage: 64 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
