/** What the clients of a load saw of one host, between two laps. */

/** A websocket that ended although its client did not end it. */
export interface SocketEnd {
  readonly version: string;
  readonly openedAt: number;
  readonly endedAt: number;
  /** Messages that came back. */
  readonly echoes: number;
}

export interface HostRecord {
  readonly requests: number;
  /** `<kind of client> <what went wrong>` → how often. */
  readonly errors: Readonly<Record<string, number>>;
  /** When and what, of the first errors; times are epoch milliseconds. */
  readonly firstErrors: readonly { readonly at: number; readonly what: string }[];
  /** `<kind of client>` → answers that were right. */
  readonly answers: Readonly<Record<string, number>>;
  /** Requests that were told that no service has this host, before the first answer of one. */
  readonly unrouted: number;
  /** Version → when it was first seen, in that order; kept over laps. */
  readonly versions: Readonly<Record<string, number>>;
  /** Longest time from one answer to a quick request to the next, or to now; 0 before the first. */
  readonly longestGapMs: number;
  readonly sockets: { readonly open: number; readonly ended: readonly SocketEnd[] };
}

export type LoadRecord = Readonly<Record<string, HostRecord>>;

/** Notes what clients of one host see; `now` gives epoch milliseconds. */
export function createRecorder(now: () => number) {
  const versions: Record<string, number> = {};
  const open = new Set<symbol>();
  let lap = emptyLap();
  /** null: nobody was answered yet, so nothing is missing. */
  let lastAnswerAt: number | null = null;

  const gapMs = (at: number) => Math.max(lap.longestGapMs, at - (lastAnswerAt ?? at));

  function answered(at: number): void {
    lap.longestGapMs = gapMs(at);
    lastAnswerAt = at;
  }

  function saw(version: string): void {
    versions[version] ??= now();
  }

  return {
    saw,
    isServed: () => Object.keys(versions).length > 0,
    request: () => void (lap.requests += 1),
    unrouted: () => void (lap.unrouted += 1),
    answer(kind: string, version: string, quick: boolean): void {
      saw(version);
      lap.answers[kind] = (lap.answers[kind] ?? 0) + 1;
      if (quick) answered(now());
    },
    error(kind: string, what: string): void {
      const text = `${kind} ${what}`;
      lap.errors[text] = (lap.errors[text] ?? 0) + 1;
      if (lap.firstErrors.length < FIRST_ERRORS) lap.firstErrors.push({ at: now(), what: text });
    },
    socketOpened: (id: symbol) => void open.add(id),
    socketEnded(id: symbol, end: SocketEnd): void {
      if (open.delete(id)) lap.ended.push(end);
    },
    /** What was seen since the last lap; a new one begins. */
    lap(): HostRecord {
      const { ended, ...seen } = lap;
      const longestGapMs = gapMs(now());
      lap = emptyLap();
      return { ...seen, longestGapMs, versions: { ...versions }, sockets: { open: open.size, ended } };
    },
  };
}

export type Recorder = ReturnType<typeof createRecorder>;

const FIRST_ERRORS = 12;

function emptyLap() {
  return {
    requests: 0,
    errors: {} as Record<string, number>,
    firstErrors: [] as { at: number; what: string }[],
    answers: {} as Record<string, number>,
    unrouted: 0,
    longestGapMs: 0,
    ended: [] as SocketEnd[],
  };
}
