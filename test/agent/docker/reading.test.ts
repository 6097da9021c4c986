/** What the engine says, read: image names, log frames, JSON lines, states, errors. */
import { expect, it } from 'vitest';
import { engineError, registryError, statusOf } from '../../../agent/docker/errors.ts';
import { createFrameReader } from '../../../agent/docker/frames.ts';
import { checkedRef, parseImageName } from '../../../agent/docker/image-ref.ts';
import { container, engineInfo, statsSample } from '../../../agent/docker/inspect.ts';
import { createJsonLines } from '../../../agent/docker/json-lines.ts';
import { isSlipwayError } from '../../../schemas/errors.ts';

it.each([
  ['nginx', 'docker.io', 'nginx', null],
  ['library/nginx:1.27', 'docker.io', 'nginx', '1.27'],
  ['docker.io/acme/web', 'docker.io', 'acme/web', null],
  ['ghcr.io/acme/web:v1', 'ghcr.io', 'ghcr.io/acme/web', 'v1'],
  ['localhost/web', 'localhost', 'localhost/web', null],
  ['host:5000/a/b:c', 'host:5000', 'host:5000/a/b', 'c'],
])('understands %s', (text, registry, repo, tag) => {
  expect(parseImageName(text)).toEqual({ registry, repo, tag, digest: null });
});

it('keeps tag and digest apart', () => {
  const digest = `sha256:${'1'.repeat(64)}`;
  expect(parseImageName(`ghcr.io/a/b:1@${digest}`)).toMatchObject({ repo: 'ghcr.io/a/b', tag: '1', digest });
});

it.each(['', 'Nginx', 'a b', '../containers/x', 'a/../../b', 'a?x=1', 'a@sha256:12', '-x', 'x'.repeat(600)])(
  'refuses %j as the name of an image',
  (text) => {
    expect(() => checkedRef(text)).toThrow(expect.objectContaining({ code: 'IMAGE_NOT_FOUND' }));
  },
);

it('takes ids as references', () => {
  expect(checkedRef(`sha256:${'0'.repeat(64)}`)).toBe(`sha256:${'0'.repeat(64)}`);
});

it('reads log frames that are cut anywhere, both streams, and a last line without an end', () => {
  const frame = (stream: number, text: string) => {
    const header = Buffer.alloc(8);
    header[0] = stream;
    header.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  const bytes = Buffer.concat([frame(1, 'T1 one\nT2 t'), frame(2, 'T3 oops\n'), frame(1, 'wo\n'), frame(1, 'T4 last')]);
  for (const size of [1, 3, 7, 1000]) {
    const reader = createFrameReader();
    const lines = [];
    for (let at = 0; at < bytes.length; at += size) lines.push(...reader.push(bytes.subarray(at, at + size)));
    lines.push(...reader.end());
    expect(lines).toEqual([
      { stream: 'stdout', at: 'T1', line: 'one' },
      { stream: 'stderr', at: 'T3', line: 'oops' },
      { stream: 'stdout', at: 'T2', line: 'two' },
      { stream: 'stdout', at: 'T4', line: 'last' },
    ]);
  }
});

it('reads JSON lines that are cut within a character', () => {
  const bytes = Buffer.from('{"a":"ü"}\r\n{"b":2}\n');
  const lines = createJsonLines();
  expect([...bytes].flatMap((byte) => lines.push(Buffer.from([byte])))).toEqual([{ a: 'ü' }, { b: 2 }]);
});

it('reads a container that was never started, and one in the host network', () => {
  const raw = {
    Id: 'i',
    Name: '/n',
    Created: '2026-01-01T00:00:00Z',
    Image: 'sha256:x',
    RestartCount: 2,
    State: {
      Status: 'created',
      ExitCode: 0,
      OOMKilled: false,
      StartedAt: '0001-01-01T00:00:00Z',
      FinishedAt: '0001-01-01T00:00:00Z',
    },
    Config: { Labels: null },
    HostConfig: { NetworkMode: 'host' },
    NetworkSettings: { Networks: { host: { IPAddress: '' } } },
  };
  expect(container(raw)).toMatchObject({
    name: 'n',
    startedAt: null,
    exitCode: null,
    hostNetwork: true,
    addresses: {},
  });
});

it('calls architectures as images do', () => {
  const info = {
    ServerVersion: '20',
    OSType: 'linux',
    Architecture: 'x86_64',
    NCPU: 2,
    MemTotal: 5,
    DockerRootDir: '/d',
    Driver: 'overlay2',
  };
  expect(engineInfo(info)).toEqual({
    version: '20',
    os: 'linux',
    architecture: 'amd64',
    cpuMillicores: 2000,
    memoryBytes: 5,
    rootDir: '/d',
    storageDriver: 'overlay2',
  });
});

it('counts processor time of the last second, and memory without the cache', () => {
  const cpu = (used: number, system: number) => ({
    cpu_usage: { total_usage: used },
    system_cpu_usage: system,
    online_cpus: 2,
  });
  const sample = statsSample({
    read: 't',
    cpu_stats: cpu(150, 2000),
    precpu_stats: cpu(50, 1000),
    memory_stats: { usage: 100, limit: 1000, stats: { inactive_file: 30 } },
    networks: { eth0: { rx_bytes: 1, tx_bytes: 2 }, eth1: { rx_bytes: 3, tx_bytes: 4 } },
  });
  expect(sample).toEqual({
    at: 't',
    cpuMillicores: 200,
    memoryBytes: 70,
    memoryLimitBytes: 1000,
    rxBytes: 4,
    txBytes: 6,
  });
});

it('translates by status: no answer, a refusal', () => {
  const away = engineError('start it', Object.assign(new Error('connect ENOENT'), { code: 'ENOENT' }));
  expect(isSlipwayError(away, 'ENGINE_UNAVAILABLE')).toBe(true);
  const refused = engineError(
    'start it',
    Object.assign(new Error('x'), { statusCode: 409, json: { message: 'taken' } }),
  );
  expect(refused).toMatchObject({ code: 'ENGINE_FAILED', message: 'Docker could not start it: taken' });
  expect(statusOf(refused)).toBe(409);
});

it.each([
  [{ statusCode: 404, message: 'manifest unknown' }, 'IMAGE_NOT_FOUND'],
  [{ statusCode: 500, message: 'no basic auth credentials' }, 'IMAGE_UNAUTHORIZED'],
  [{ statusCode: 404, message: 'pull access to the resource is denied' }, 'IMAGE_UNAUTHORIZED'],
  [{ statusCode: 404, message: 'no matching manifest for linux/arm64 in the manifest list' }, 'IMAGE_PLATFORM'],
  [{ statusCode: 500, message: 'dial tcp: i/o timeout' }, 'REGISTRY_UNAVAILABLE'],
  [{ message: 'dial tcp: lookup x: no such host' }, 'REGISTRY_UNAVAILABLE'],
  [{ name: 'StreamRefusal', message: 'write /d/tmp/GetImageBlob1: no space left on device' }, 'DISK_FULL'],
  [{ code: 'ECONNREFUSED', message: 'connect' }, 'ENGINE_UNAVAILABLE'],
] as const)('translates what a registry said: %j', (foreign, code) => {
  expect(registryError('x', Object.assign(new Error(foreign.message), foreign)).code).toBe(code);
});
