/** Deploy states in which something is still to be done before or at the commit point. */
export const OPEN_STATES: ReadonlySet<string> = new Set(['planning', 'applying', 'committed']);
