/** A small flood of webhooks over sockets and a real nats-server: each head is planned once, nothing is lost or invented. */
import { expect, it } from 'vitest';
import { runFlood } from '../../lab/webhook-flood.ts';
import { servers } from '../store/technologies.ts';

it.each(servers)('duplicates, disorder and forgeries change nothing, over $name', async ({ open }) => {
  const lab = await open();
  try {
    const result = await runFlood({
      store: await lab.connect(),
      count: 1_000,
      pulls: 20,
      senders: 16,
      passMs: 5,
      signal: new AbortController().signal,
    });
    expect(result).toMatchObject({
      plannedTwice: 0,
      overlaps: 0,
      unplanned: 0,
      lostComments: 0,
      inventedComments: 0,
      repeatedComments: 0,
    });
    // 650 happened, 300 were told twice, 50 are forged.
    expect(result.answers).toEqual({ '202 STORED': 650, '202 SEEN_BEFORE': 300, '401 BAD_SIGNATURE': 50 });
    expect(result.mostWaiting).toBeLessThanOrEqual(256 + 20);
    expect(result.looksAtGit).toBeLessThanOrEqual(result.pushes);
  } finally {
    await lab.stop();
  }
});
