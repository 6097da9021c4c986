/**
 * Commands that people run in an instance (`slipway exec`), as they cross the wire. What is asked is signed (trust/), as
 * steps are: it is as much power. What the command prints goes back to the inbox that the order names.
 */
import { z } from 'zod';
import { DeployId, MachineName, NamespaceName, SlotName } from './names.ts';

/** Size of a terminal, in characters. */
const Terminal = z.strictObject({ columns: z.int().min(1).max(10_000), rows: z.int().min(1).max(10_000) });
export type Terminal = z.infer<typeof Terminal>;

const addressee = { installation: z.string(), machine: MachineName };

/** `agent.<machine>.exec`: run this in that instance. Good once, and only for a short time after `at`. */
export const ExecOrder = z.strictObject({
  ...addressee,
  id: z.uuid(),
  at: z.iso.datetime(),
  /** Who asks, for the audit. */
  actor: z.string(),
  namespace: NamespaceName,
  slot: SlotName,
  /** With the slot, the instance. */
  deploy: DeployId,
  argv: z.array(z.string()).min(1),
  /** `NAME=value`, added to the environment of the container. */
  env: z.array(z.string().regex(/^[^=\0]+=/)),
  /** null: the user that the container runs as. */
  user: z.string().nullable(),
  stdin: z.boolean(),
  terminal: Terminal.nullable(),
  /** Begins with `inbox`, so that nobody can make an agent publish elsewhere. */
  inbox: z
    .array(z.string())
    .min(2)
    .refine((it) => it[0] === 'inbox', 'begins with "inbox"'),
});
export type ExecOrder = z.infer<typeof ExecOrder>;

/** What is said to a command that runs. Input is numbered from 0, so that a piece sent twice is taken once. */
const ExecSaying = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('input'), seq: z.int().min(0), base64: z.string() }),
  z.strictObject({ kind: z.literal('end-of-input'), seq: z.int().min(0) }),
  z.strictObject({ kind: z.literal('resize'), terminal: Terminal }),
  z.strictObject({ kind: z.literal('stop') }),
]);
export type ExecSaying = z.infer<typeof ExecSaying>;

/** `agent.<machine>.exec-input`: something said to the command of the order with this id. */
export const ExecInput = z.strictObject({ ...addressee, id: z.uuid(), say: ExecSaying });
export type ExecInput = z.infer<typeof ExecInput>;

/** The answer to an order, an input, and each piece of output. `full`: not now, send the same again. */
export const ExecReply = z.discriminatedUnion('state', [
  z.strictObject({ state: z.literal('taken') }),
  z.strictObject({ state: z.literal('full') }),
  z.strictObject({ state: z.literal('refused'), code: z.string(), message: z.string() }),
]);
export type ExecReply = z.infer<typeof ExecReply>;

export type ExecStream = 'stdout' | 'stderr';

/** What comes to the inbox, numbered from 0 and asked for an answer each: output, a sign of life, and once the end. */
export const ExecPiece = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('output'),
    seq: z.int().min(0),
    stream: z.enum(['stdout', 'stderr']),
    base64: z.string(),
  }),
  z.strictObject({ kind: z.literal('alive'), seq: z.int().min(0) }),
  z.strictObject({ kind: z.literal('exit'), seq: z.int().min(0), exitCode: z.int() }),
  z.strictObject({ kind: z.literal('failed'), seq: z.int().min(0), code: z.string(), message: z.string() }),
]);
export type ExecPiece = z.infer<typeof ExecPiece>;

/** Bytes in one piece; in base64 and JSON it stays well below the 1 MiB that NATS takes. */
export const EXEC_PIECE_BYTES = 192 * 1024;
/** How often the agent says something at least, and how long either side waits for the other before it gives up. */
export const EXEC_ALIVE_EVERY_MS = 2_000;
export const EXEC_LOST_AFTER_MS = 6_000;
