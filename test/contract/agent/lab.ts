/** A machine with a real agent process, Docker, NATS, HAProxy and resolver; removes all it made. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNames } from '../../../agent/dns/names.ts';
import { createEngine } from '../../../agent/docker/engine.ts';
import type { Container } from '../../../agent/docker/port.ts';
import { createGateway } from '../../../agent/gateway/gateway.ts';
import { LABEL } from '../../../agent/identity.ts';
import { createNetwork, overlayNetwork } from '../../../agent/network/network.ts';
import { pickNetwork } from '../../../agent/network/pick.ts';
import { takenNetworks } from '../../../agent/network/taken.ts';
import { type Installation, statePaths } from '../../../schemas/installation.ts';
import { silentLogger } from '../../../schemas/logger.ts';
import type { Release, SlotRow } from '../../../schemas/release.ts';
import type { ServiceSpec } from '../../../schemas/service.ts';
import { type Fence, type StepAction, StepReply } from '../../../schemas/step.ts';
import { systemClock } from '../../../store/clock.ts';
import { createEmbeddedNats } from '../../../store/embedded.ts';
import { connectNats } from '../../../store/nats.ts';
import type { Store } from '../../../store/port.ts';
import { generateKey } from '../../../trust/keys.ts';
import { signStep } from '../../../trust/sign.ts';
import { createTrustList } from '../../../trust/trust-list.ts';
import { release, slotRows } from '../../builders/release.ts';
import { type ServiceOverrides, serviceSpec } from '../../builders/service.ts';

const MACHINE = 'm1';
const NAMESPACE = 'production';

/** Serves its version on 8080; `kill -TERM` ends it at once. */
const START = `trap 'kill "$!"; exit 0' TERM INT
mkdir -p /www
echo "$VERSION" > /www/index.html
echo "started $VERSION"
test -n "$FAIL" && { echo "broken on purpose"; exit 3; }
test -n "$ONCE" && { echo "job done"; exit "$ONCE"; }
httpd -f -p 8080 -h /www &
wait "$!"
`;
const DOCKERFILE = `FROM scratch
COPY busybox /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
COPY start /start
ENV PATH=/bin
ENTRYPOINT ["/bin/sh", "/start"]
`;

export type Lab = Awaited<ReturnType<typeof openLab>>;

/** An installation of its own; nothing runs yet but NATS. */
export async function openLab() {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-agent-lab-'));
  const paths = statePaths(folder);
  const dockerSocket = process.env['SLIPWAY_TEST_DOCKER'] ?? '/var/run/docker.sock';
  const engine = createEngine({ socketPath: dockerSocket });
  const id = randomBytes(4).toString('hex');
  const { bridge, subnetIndex } = pickNetwork(await takenNetworks(engine));
  const installation: Installation = {
    id,
    machine: MACHINE,
    subnetIndex,
    bridge,
    httpPort: await freePort(),
    natsUrl: null,
    dockerSocket,
  };
  const key = generateKey();
  const root = generateKey();
  await mkdir(paths.keys, { recursive: true });
  await writeFile(paths.installation, JSON.stringify(installation));
  await writeFile(join(paths.keys, 'root.pub'), root.publicKey);
  const list = { installation: id, serial: 1, keys: [{ name: 'operator', publicKey: key.publicKey }] };
  await writeFile(join(paths.keys, 'trust.json'), JSON.stringify(createTrustList(list, root)));
  const tag = `slipway-agent-test:${id}`;
  await buildImage(tag);
  const localId = (await engine.image(tag))?.id ?? '';
  const life = new AbortController();
  const nats = createEmbeddedNats({ dir: paths.nats, log: silentLogger });
  await nats.start(life.signal);
  const store = await connect();
  let agent: ChildProcess | null = null;
  let fence: Fence = { generation: 1, revision: 1 };
  let deploys = 0;

  async function connect(): Promise<Store> {
    const url = (await readFile(paths.natsUrlFile, 'utf8')).trim();
    return await connectNats({ url, name: 'test', log: silentLogger, clock: systemClock, installation: id });
  }

  async function buildImage(name: string): Promise<void> {
    const context = join(folder, 'image');
    await mkdir(context, { recursive: true });
    await copyFile('/bin/busybox', join(context, 'busybox'));
    await writeFile(join(context, 'Dockerfile'), DOCKERFILE);
    await writeFile(join(context, 'start'), START);
    await engine.build(name, context, ['Dockerfile', 'busybox', 'start']);
  }

  async function ask(action: StepAction, deploy: string, stepId: string = action.verb): Promise<StepReply> {
    const step = { installation: id, machine: MACHINE, namespace: NAMESPACE, deploy, id: stepId, fence, action };
    const until = Date.now() + 60_000;
    for (;;) {
      const reply = await store.messages
        .request(['agent', MACHINE, 'step'], signStep(step, key), 2000)
        .then((it) => StepReply.parse(it))
        .catch(() => null);
      if (reply !== null && reply.state !== 'accepted') return reply;
      if (Date.now() > until) throw new Error(`step ${stepId} did not end: ${JSON.stringify(reply)}`);
      await pause(20);
    }
  }

  const lab = {
    id,
    paths,
    installation,
    engine,
    store,
    nats,
    ask,
    raiseFence: () => {
      fence = { ...fence, revision: fence.revision + 1 };
    },
    newDeploy: () => `00000000000000${(deploys += 1).toString().padStart(2, '0')}`,
    /** A service of the test image that answers with `version`. */
    service(version: string, overrides: ServiceOverrides<ServiceSpec> = {}): ServiceSpec {
      return serviceSpec({
        name: 'web',
        imageName: tag,
        stopGracePeriodMs: 2000,
        deadlineMs: 15_000,
        readiness: {
          probe: { kind: 'http', port: 8080, path: '/' },
          intervalMs: 500,
          timeoutMs: 1000,
          retries: 3,
          startPeriodMs: 0,
          livenessTimeoutMs: null,
        },
        routes: [{ kind: 'http', hostname: 'web.test', pathPrefix: '/', port: 8080 }],
        ...overrides,
        template: {
          image: { localId, name: tag },
          env: { VERSION: version },
          ...overrides.template,
        },
      });
    },
    row(spec: ServiceSpec, deploy: string): SlotRow {
      const [row] = slotRows(spec, { deploy });
      if (row === undefined) throw new Error('no slot');
      return row;
    },
    async commit(specs: readonly ServiceSpec[], deploy: string, overrides: Partial<Release> = {}): Promise<number> {
      const n = (await store.log.tip(NAMESPACE)) + 1;
      await store.specs.put(specs);
      const slots = specs.flatMap((it) => slotRows(it, { deploy }));
      await store.log.append(release(specs, { namespace: NAMESPACE, n, deploy, slots, ...overrides }));
      return n;
    },
    async voidDeploy(deploy: string): Promise<number> {
      const n = (await store.log.tip(NAMESPACE)) + 1;
      const at = new Date().toISOString();
      await store.log.append({ kind: 'void', namespace: NAMESPACE, n, at, actor: 'test', deploy, reason: 'test' });
      return n;
    },
    async deploy(...specs: ServiceSpec[]): Promise<string> {
      const deploy = lab.newDeploy();
      for (const spec of specs) {
        for (const row of slotRows(spec, { deploy }))
          expectDone(await ask({ verb: 'start', order: { row, spec } }, deploy, `start/${row.slot}`));
      }
      const n = await lab.commit(specs, deploy);
      for (const verb of ['apply', 'retire', 'close'] as const) expectDone(await ask({ verb, n }, deploy));
      return deploy;
    },
    async containers(): Promise<Container[]> {
      const found = await engine.list({ [LABEL.installation]: id });
      const all = await Promise.all(found.map((it) => engine.inspect(it.id)));
      return all.filter((it) => it !== null).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },
    /** What the gateway answers; null: nothing, or not 200. */
    get: (host = 'web.test') => fetchText(installation.httpPort, host),
    startAgent(env: Readonly<Record<string, string>> = {}): ChildProcess {
      const child = spawn(process.execPath, ['--import', 'tsx', 'agent/main.ts', '--state-dir', folder], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, ...env },
      });
      child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
      agent = child;
      return child;
    },
    async stopAgent(how: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
      if (agent === null || agent.exitCode !== null || agent.signalCode !== null) return;
      const ended = new Promise((resolve) => agent?.once('exit', resolve));
      agent.kill(how);
      await ended;
    },
    /** What the agent logged. */
    said: () => output.join(''),
    async close(): Promise<void> {
      await lab.stopAgent();
      for (const it of await lab.containers()) await engine.remove(it.id);
      const clock = { now: () => Date.now(), sleep: async (ms: number) => await pause(ms) };
      await createGateway({
        dir: paths.gateway,
        httpPort: installation.httpPort,
        installation: id,
        log: silentLogger,
        clock,
      }).stop();
      const network = () => overlayNetwork(installation);
      await createNames({ dir: paths.dns, network, log: silentLogger, command: ['false'] }).stop();
      await createNetwork({ engine, installation, log: silentLogger }).remove();
      await engine.removeImage(tag);
      await store.close();
      life.abort();
      await nats.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
  const output: string[] = [];
  return lab;
}

function expectDone(reply: StepReply): void {
  if (reply.state !== 'done') throw new Error(JSON.stringify(reply));
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}

function fetchText(port: number, host: string): Promise<string | null> {
  return new Promise((resolve) => {
    const asked = request({ port, host: '127.0.0.1', headers: { host }, agent: false, timeout: 3000 }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve(answer.statusCode === 200 ? text.trim() : null));
    });
    asked.on('error', () => resolve(null));
    asked.end();
  });
}

async function freePort(): Promise<number> {
  return await new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
