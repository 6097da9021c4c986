/** What is used of the package diff3: it merges two descendants of a list of lines. */
declare module 'diff3' {
  type Region = { readonly ok: readonly string[] } | { readonly conflict: unknown };
  export default function diff3Merge(
    ours: readonly string[],
    base: readonly string[],
    theirs: readonly string[],
  ): readonly (Region & { readonly ok?: readonly string[]; readonly conflict?: unknown })[];
}
