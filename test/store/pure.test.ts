/** The small pure parts of the NATS adapter. */
import { describe, expect, it } from 'vitest';
import { assetsOf, DEFAULT_TIMING } from '../../store/assets.ts';
import { renderConfig } from '../../store/embedded/config.ts';
import { parseVersion } from '../../store/embedded/version.ts';
import { parseServers } from '../../store/nats/servers.ts';
import { differences, streamConfig } from '../../store/nats/streams.ts';
import { deliveryOf } from '../../store/nats/tail.ts';

describe('the url of NATS', () => {
  it.each([
    ['nats://127.0.0.1', ['127.0.0.1:4222'], {}],
    ['nats://token@host:1234', ['host:1234'], { token: 'token' }],
    ['nats://user:p%40ss@host:1', ['host:1'], { user: 'user', pass: 'p@ss' }],
    ['nats://a:1, nats://b:2', ['a:1', 'b:2'], {}],
  ])('%s is understood', (url, hosts, credentials) => {
    expect(parseServers(url)).toEqual({ hosts, credentials, tls: false });
  });

  it.each(['', 'host:4222', 'http://host', 'nats://'])('%j is refused', (url) => {
    expect(() => parseServers(url)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });
});

describe('the position of a delivery', () => {
  it('is read from both forms of the reply subject', () => {
    const position = { sequence: 17, delivery: 3 };
    expect(deliveryOf('$JS.ACK.KV_x.consumer.1.17.3.1700000000.0')).toEqual(position);
    expect(deliveryOf('$JS.ACK.domain.hash.KV_x.consumer.1.17.3.1700000000.0.token')).toEqual(position);
    expect(deliveryOf('_INBOX.abc')).toBeNull();
    expect(deliveryOf('')).toBeNull();
  });
});

describe('the streams', () => {
  const assets = assetsOf(DEFAULT_TIMING);

  it('of the history cannot be shortened, by limit or by hand', () => {
    for (const asset of [assets.log, assets.specs]) {
      expect(streamConfig(asset)).toMatchObject({
        storage: 'file',
        max_age: 0,
        max_msgs: -1,
        max_bytes: -1,
        max_msgs_per_subject: -1,
        deny_delete: true,
        deny_purge: true,
      });
    }
  });

  it('keep what they are for: leases on disk for 30 s, observations in memory for 90 s', () => {
    expect(streamConfig(assets.leases)).toMatchObject({ name: 'KV_leases', storage: 'file', max_age: 30e9 });
    expect(streamConfig(assets.observed)).toMatchObject({ name: 'KV_observed', storage: 'memory', max_age: 90e9 });
  });

  it('are changed only in what differs', () => {
    const wanted = streamConfig(assets.leases);
    expect(differences(wanted, { ...wanted, num_replicas: 3 })).toEqual([]);
    const { allow_direct: _, ...silent } = wanted;
    expect(differences(wanted, silent)).toEqual([]);
    expect(differences(wanted, { ...wanted, max_age: 1 })).toEqual(['max_age']);
  });
});

describe('the embedded server`s configuration', () => {
  const input = { dir: '/var/lib/slipway/nats', port: 4223, token: 'secret', version: '2.10.27' };

  it('listens on loopback, with a token, and syncs every write where the server can', () => {
    expect(renderConfig(input)).toMatchInlineSnapshot(`
      "listen: "127.0.0.1:4223"
      max_payload: 1048576
      pid_file: "/var/lib/slipway/nats/nats.pid"
      ports_file_dir: "/var/lib/slipway/nats/ports"
      log_file: "/var/lib/slipway/nats/nats.log"
      logfile_size_limit: 16777216
      authorization { token: "secret" }
      jetstream {
        store_dir: "/var/lib/slipway/nats/store"
        max_file_store: 1TB
        max_memory_store: 256MB
        sync_interval: always
      }
      "
    `);
  });

  it('leaves out what an old server does not know', () => {
    expect(renderConfig({ ...input, version: '2.9.10' })).not.toContain('sync_interval');
  });

  it.each([
    ['nats-server: v2.9.10\n', '2.9.10'],
    ['nats-server: v2.12.0-RC.1', '2.12.0-RC.1'],
    ['something else', null],
  ])('%j has the version %s', (text, version) => {
    expect(parseVersion(text)).toBe(version);
  });
});
