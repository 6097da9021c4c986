/** Streams of logs: to the inbox that was named, as long as somebody reads. */
import { expect, it } from 'vitest';
import type { LogLine } from '../../agent/docker/port.ts';
import { parseStreamRequest } from '../../agent/stream-request.ts';
import { serveStreams } from '../../agent/streams.ts';
import { silentLogger } from '../../schemas/logger.ts';
import { createFaultyStore } from '../../store/memory.ts';
import { eventually } from '../fakes/agent-world.ts';

const inbox = ['inbox', 'r1'];

function setup() {
  const { messages } = createFaultyStore({ clock: { now: () => Date.now() }, log: silentLogger }).store;
  const life = new AbortController();
  const emit: ((line: LogLine) => void)[] = [];
  let open = 0;
  const containers = ['web.0', 'web.1', 'db.0'].map((slot) => ({
    id: slot,
    state: slot === 'db.0' ? 'exited' : 'running',
    identity: { namespace: 'production', service: slot.slice(0, -2), slot },
  }));
  serveStreams(
    {
      machine: 'm1',
      messages,
      world: { containers: () => containers as never },
      engine: {
        stats: async (id, onSample) => onSample({ at: id } as never),
        logs: async (id, { tail, follow }, onLine, signal) => {
          for (let i = 0; i < Math.min(tail, 3); i += 1) onLine({ stream: 'stdout', at: '', line: `${id} ${i}` });
          if (!follow) return;
          open += 1;
          emit.push(onLine);
          await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
          open -= 1;
        },
      },
      log: silentLogger,
    },
    life.signal,
  );
  const pieces: { samples?: object[]; lines?: { slot: string; line: string }[]; end?: boolean; dropped?: number }[] =
    [];
  messages.subscribe(inbox, (it) => void pieces.push(it as never), life.signal);
  return {
    ask: (payload: object, kind = 'logs') => messages.request(['agent', 'm1', kind], payload, 500),
    lines: () => pieces.flatMap((it) => it.lines ?? []),
    pieces,
    emit,
    open: () => open,
    end: () => life.abort(),
  };
}

it('sends the last lines of every slot of a service, and then the end', async () => {
  const { ask, lines, pieces, end } = setup();
  expect(await ask({ namespace: 'production', service: 'web', tail: 2, inbox })).toEqual({ slots: ['web.0', 'web.1'] });
  await eventually(() => pieces.at(-1)?.end === true);
  expect(lines().map((it) => it.line)).toEqual(['web.0 0', 'web.0 1', 'web.1 0', 'web.1 1']);
  end();
});

it('follows until it is cancelled; asking again renews, and sends nothing twice', async () => {
  const { ask, lines, emit, open, end } = setup();
  const request = { namespace: 'production', slot: 'db.0', tail: 1, follow: true, inbox };
  await ask(request);
  expect(await ask(request)).toEqual({ slots: ['db.0'] });
  await eventually(() => emit.length === 1);
  emit[0]?.({ stream: 'stderr', at: 't', line: 'new' });
  await eventually(() => lines().length === 2);
  await ask({ inbox, cancel: true });
  await eventually(() => open() === 0);
  end();
});

it('drops the oldest lines when a container writes faster than they can be sent, and says how many', async () => {
  const { ask, pieces, emit, end } = setup();
  await ask({ namespace: 'production', slot: 'db.0', tail: 0, follow: true, inbox });
  await eventually(() => emit.length === 1);
  for (let i = 0; i < 6000; i += 1) emit[0]?.({ stream: 'stdout', at: '', line: `${i}` });
  await eventually(() => pieces.flatMap((it) => it.lines ?? []).some((it) => it.line === '5999'));
  expect(pieces[0]?.dropped).toBe(1000);
  expect(Math.max(...pieces.map((it) => it.lines?.length ?? 0))).toBeLessThanOrEqual(200);
  end();
});

it('answers with no slots for what does not run here', async () => {
  const { ask, end } = setup();
  expect(await ask({ namespace: 'staging', service: 'web', inbox })).toEqual({ slots: [] });
  end();
});

it('gives statistics of all that runs, of a namespace, or of what is named, each with its namespace', async () => {
  const { ask, pieces, end } = setup();
  expect(await ask({ inbox }, 'stats')).toEqual({ slots: ['web.0', 'web.1'] });
  await eventually(() => pieces.at(-1)?.end === true);
  expect(pieces.flatMap((it) => it.samples ?? [])).toEqual([
    { namespace: 'production', slot: 'web.0', at: 'web.0' },
    { namespace: 'production', slot: 'web.1', at: 'web.1' },
  ]);
  expect(await ask({ namespace: 'staging', inbox: ['inbox', 'r2'] }, 'stats')).toEqual({ slots: [] });
  expect(await ask({ namespace: 'production', slot: 'web.1', inbox: ['inbox', 'r3'] }, 'stats')).toEqual({
    slots: ['web.1'],
  });
  end();
});

it('a reader that cancels makes room for another at once', async () => {
  const { ask, end } = setup();
  for (let i = 0; i < 40; i += 1) {
    const mine = ['inbox', `many-${i}`];
    expect(await ask({ inbox: mine }, 'stats')).toEqual({ slots: ['web.0', 'web.1'] });
    await ask({ inbox: mine, cancel: true }, 'stats');
  }
  end();
});

it('never publishes anywhere but to an inbox', () => {
  const request = { namespace: 'a', service: 'b' };
  expect(parseStreamRequest({ ...request, inbox: ['log', 'production', '5'] })).toContain('inbox');
  expect(parseStreamRequest({ ...request, inbox: ['inbox'] })).toContain('inbox');
  expect(parseStreamRequest({ namespace: 'a', inbox })).toContain('service or slot');
  expect(parseStreamRequest(null)).toContain('inbox');
});
