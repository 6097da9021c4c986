/** Check runs, for Apps: what a status says, with annotations on the lines of the manifests. */
import { z } from 'zod';
import { digestOf } from '../../../schemas/canonical.ts';
import type { StatusState } from '../../../schemas/forge.ts';
import type { Annotation, StatusArgs } from '../port.ts';
import type { Call } from './client.ts';
import { ensureMade } from './ensure-made.ts';
import { cut, shortContext, shortDescription } from './texts.ts';

const RunAnswer = z.object({
  id: z.int(),
  external_id: z.string().nullish(),
});
type RunAnswer = z.infer<typeof RunAnswer>;
const RunsAnswer = z.object({ check_runs: z.array(RunAnswer) }).transform((it) => it.check_runs);

/** GitHub takes so many in one request; more are added by updates. */
const ANNOTATIONS_A_REQUEST = 50;
const MESSAGE_CHARACTERS = 4000;

const STATES = {
  pending: { status: 'in_progress' },
  success: { status: 'completed', conclusion: 'success' },
  failure: { status: 'completed', conclusion: 'failure' },
  error: { status: 'completed', conclusion: 'failure' },
} as const satisfies Record<StatusState, object>;

/**
 * The newest run of ours by this name says this. Annotations can only be added: others than those of the last run make a
 * new one. What a run says is told by its external id, `ANNOTATIONS.CONTENT`, which it gets with its last annotation.
 */
export async function setCheckRun(call: Call, appId: number, args: StatusArgs): Promise<void> {
  const name = shortContext(args.context);
  const annotations = args.annotations ?? [];
  const annotated = digestOf(annotations).slice(0, 16);
  const content = digestOf([args.state, args.description, args.url]).slice(0, 16);
  const complete = `${annotated}.${content}`;

  const newest = async (): Promise<RunAnswer | null> => {
    const params = { ref: args.revision, check_name: name, app_id: appId, filter: 'latest' };
    const runs = await call.list(RunsAnswer, 'GET /repos/{owner}/{repo}/commits/{ref}/check-runs', params);
    return runs.toSorted((a, b) => b.id - a.id)[0] ?? null;
  };
  // Once: an update that came through twice would add its annotations twice.
  const update = (run: RunAnswer, body: object) =>
    call.send(RunAnswer, 'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', { check_run_id: run.id, ...body });

  const there = await newest();
  if (there?.external_id === complete) return;
  const finished = { ...STATES[args.state], external_id: complete, ...linked(args.url), actions: BUTTONS };
  if (there?.external_id?.startsWith(`${annotated}.`) === true && !there.external_id.endsWith(PARTIAL)) {
    await update(there, { ...finished, output: outputOf(args, []) });
    return;
  }

  const [first = [], ...rest] = batches(annotations);
  const begun =
    rest.length === 0 ? finished : { ...STATES.pending, external_id: complete + PARTIAL, ...linked(args.url) };
  const body = { name, head_sha: args.revision, ...begun, output: outputOf(args, first) };
  let firstLook = true;
  const run = await ensureMade({
    find: async () => {
      if (firstLook) {
        firstLook = false;
        return null;
      }
      const found = await newest();
      return found !== null && found.id !== there?.id && found.external_id === begun.external_id ? found : null;
    },
    make: () => call.send(RunAnswer, 'POST /repos/{owner}/{repo}/check-runs', body),
    pause: () => call.pause(),
  });
  for (const [index, batch] of rest.entries()) {
    const state = index === rest.length - 1 ? finished : {};
    await update(run, { ...state, output: outputOf(args, batch) });
  }
}

const PARTIAL = '.partial';

/** Pressing one sends a webhook, which is a hint like any other; nobody approves by a button, which names no plan. */
const BUTTONS = [{ label: 'Plan again', description: 'Look at it again now', identifier: 'plan' }];

function outputOf(args: StatusArgs, annotations: readonly Annotation[]) {
  const title = shortDescription(args.description);
  return {
    title,
    summary: title,
    ...(annotations.length === 0 ? {} : { annotations: annotations.map((it) => annotationOf(it)) }),
  };
}

function annotationOf({ path, line, level, message }: Annotation) {
  const place = { path, start_line: line, end_line: line };
  return { ...place, annotation_level: level, message: cut(message, MESSAGE_CHARACTERS) };
}

function batches(annotations: readonly Annotation[]): Annotation[][] {
  const found: Annotation[][] = [];
  for (let from = 0; from < annotations.length; from += ANNOTATIONS_A_REQUEST) {
    found.push(annotations.slice(from, from + ANNOTATIONS_A_REQUEST));
  }
  return found;
}

function linked(url: string | null): { details_url?: string } {
  return url === null ? {} : { details_url: url };
}
