import { describe, expect, it } from 'vitest';
import { renderJson } from '../../../controller/plan/render-json.ts';
import { renderMarkdown } from '../../../controller/plan/render-markdown.ts';
import { renderTerminal } from '../../../controller/plan/render-terminal.ts';
import { Plan } from '../../../schemas/plan.ts';
import { machine } from '../../builders/machine.ts';
import { planOf } from '../../builders/plan.ts';
import { planInput, released } from '../../builders/plan-input.ts';
import { image, serviceSpec, volumeMount } from '../../builders/service.ts';

const volume = { name: 'data', scope: 'single' as const, quotaBytes: null, mode: null, owner: null };

/** A bit of everything: create, update of both kinds, remove, unchanged, a job, a volume, a swap, a checkpoint. */
function everything(): Plan {
  const env = (value: string) => ({
    env: { GREETING: value, TOKEN: 'planted' },
    image: image(value === 'hi' ? 'a' : 'b'),
  });
  const web = (value: string) =>
    serviceSpec({
      placement: { replicaCount: 3 },
      strategy: { kind: 'rolling', maxSurge: { count: 2 }, maxUnavailable: { count: 0 } },
      template: env(value),
      dependsOn: { migrate: 'completed' },
    });
  const db = (version: string) =>
    serviceSpec({ name: 'db', template: { image: image(version), mounts: [volumeMount()] } });
  const api = (deadlineMs: number) => serviceSpec({ name: 'api', deadlineMs });
  const migrate = serviceSpec({ name: 'migrate', job: true, dependsOn: { db: 'ready' } });
  const cache = serviceSpec({
    name: 'cache',
    imageName: 'cache:7',
    placement: { machines: ['m2'] },
    template: { memoryBytes: 1024 },
  });
  const services = [web('hello'), db('b'), api(5_000), migrate, cache, serviceSpec({ name: 'same' })];
  const live = [web('hi'), db('a'), api(60_000), serviceSpec({ name: 'same' }), serviceSpec({ name: 'old' })];
  return planOf({
    services,
    desired: { ...planInput({ services }).desired, volumes: [volume] },
    machines: [machine(), machine({ name: 'm2' })],
    released: released(live, { n: 7 }),
    volumeRows: [{ volume: 'data', machine: 'm1' }],
    maxRemovePercent: 10,
  });
}

/** The same shape with hostile text in every free field. */
function hostile(): Plan {
  const bad = '\u001b[2J`|\\| @acme/ops #1 <img src=x onerror=alert(1)> \u202egnp.exe\u200b https://evil.example';
  const spec = (value: string) =>
    serviceSpec({
      imageName: value,
      routes: [{ kind: 'http', hostname: value, pathPrefix: '/', port: 1 }],
      template: { env: { [value]: value }, command: [value], labels: { [value]: value }, user: value },
    });
  return planOf({ services: [spec(bad)], released: released([spec('good')]) });
}

describe('the Markdown of a plan', () => {
  it('shows everything that will happen', async () => {
    await expect(renderMarkdown(everything())).toMatchFileSnapshot('golden/everything.md');
  });

  it('says when there is nothing to do', async () => {
    const plan = planOf({ services: [serviceSpec()], released: released([serviceSpec()]) });

    await expect(renderMarkdown(plan)).toMatchFileSnapshot('golden/unchanged.md');
  });

  it('asks for consent before a removal', async () => {
    const plan = planOf({ kind: 'remove', services: [], revision: null, released: released([serviceSpec()]) });

    await expect(renderMarkdown(plan)).toMatchFileSnapshot('golden/removal.md');
  });

  it('lets nothing of a manifest act on the page', async () => {
    await expect(renderMarkdown(hostile())).toMatchFileSnapshot('golden/hostile.md');
    const outside = renderMarkdown(hostile()).replaceAll(/(`+)(?!`).*?[^`]\1(?!`)/g, '');
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(outside).not.toMatch(/@|#1|<img|https:|\u202e|\u200b|\u001b/);
  });

  it('names variables of the environment, and shows their values only when asked', () => {
    expect(renderMarkdown(everything())).toContain('`env.GREETING` changed');
    expect(renderMarkdown(everything())).not.toContain('hello');
    expect(renderMarkdown(everything(), { showEnv: true })).toContain('`env.GREETING`: `"hi"` → `"hello"`');
  });
});

describe('the text of a plan', () => {
  it('shows everything that will happen', async () => {
    await expect(renderTerminal(everything())).toMatchFileSnapshot('golden/everything.txt');
  });

  it('lets no control character of a manifest reach the terminal', () => {
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(renderTerminal(hostile())).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u200b]/);
  });

  it('is coloured by the functions it is given, and by no others', () => {
    const mark = (name: string) => (text: string) => `<${name}>${text}</${name}>`;
    const colors = { bold: mark('b'), dim: mark('d'), red: mark('r'), green: mark('g'), yellow: mark('y') };
    const text = renderTerminal(everything(), { colors });

    expect(text).toContain('<g>+ cache</g>');
    expect(text).toContain('<r>- old</r>');
    expect(text.replaceAll(/<\/?[bdrgy]>/g, '')).toBe(renderTerminal(everything()));
  });

  it('ends with the summary', () => {
    const plan = planOf({ services: [serviceSpec()] });

    expect(renderTerminal(plan).split('\n').at(-1)).toBe(
      `Plan: 1 to create, 0 to update, 0 to remove, 0 unchanged. Downtime: none. Plan id: ${plan.id}`,
    );
  });
});

describe('the JSON of a plan', () => {
  it('is the plan, and the answers that scripts ask for first', () => {
    const { hasChanges, summary, ...plan } = renderJson(everything());

    expect(hasChanges).toBe(true);
    expect(summary).toEqual({ create: 2, update: 3, remove: 1, unchanged: 1 });
    expect(Plan.parse(JSON.parse(JSON.stringify(plan)))).toEqual(everything());
  });
});
