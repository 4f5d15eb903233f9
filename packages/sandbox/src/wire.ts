/** What goes over the pipe: a check that is to be made, and what came of it. */
import type { Json, JsonSchema } from "@contingent/core/json";
import { LEAF_FINDINGS_MAX } from "@contingent/validators/bounds";
import { finding } from "@contingent/validators/finding";
import type { LeafResult, RegisteredCheck, Subject } from "@contingent/validators/validator";
import { z } from "zod";

/** A check that is to be made. What the outcome type says comes first: that is its lane. */
export interface CheckRequest {
  readonly validator: string;
  /** Both ends must mean the same check: they may be of different releases for a moment. */
  readonly version: number;
  /** JSON as text, so that equal options are recognised and read once. */
  readonly options: string;
  readonly outputSchema: JsonSchema;
  readonly input: Json;
  readonly output: Json;
}

/** What came of it. */
export type Outcome =
  | { readonly kind: "result"; readonly result: LeafResult }
  /** The check could not be made, which says nothing about the answer. */
  | { readonly kind: "broke"; readonly message: string };

/** What a child says after a check. */
export interface Reply {
  readonly outcome: Outcome;
  /** The check left something behind that the next one could see, or threw what nobody foresaw: the process is of no more use. */
  readonly tainted: boolean;
  readonly rssBytes: number;
  readonly cpuMs: number;
}

/** Null: it is too deep or too long to be written at all. */
export function encodeRequest(validator: RegisteredCheck, subject: Subject, options: unknown): Buffer | null {
  const { name, version } = validator;
  const { input, output, outputSchema } = subject;
  try {
    const text = JSON.stringify(options) ?? "null";
    const request: CheckRequest = { validator: name, version, options: text, outputSchema, input, output };
    return Buffer.from(JSON.stringify(request));
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** As much as it takes to tell the options and schema of one outcome type from another's. */
const LANE_BYTES = 2_048;

/** With which requests one waits: those of the same outcome type. Nothing of the input counts, of which everybody has another. */
export function laneOf(request: Buffer): string {
  const head = request.toString("latin1", 0, LANE_BYTES);
  const end = head.indexOf(',"input":');
  return end === -1 ? head : head.slice(0, end);
}

export function encode(message: Reply | Outcome): Buffer {
  return Buffer.from(JSON.stringify(message));
}

const MESSAGE_CHARACTERS_MAX = 1_000;

const findingSchema = z
  .object({
    path: z.string(),
    code: z.string().regex(/^\w{1,100}$/),
    message: z.string(),
    hint: z.string().optional(),
  })
  // Made anew: bounded and on one line, whatever the child says.
  .transform(({ path, code, message, hint }) => finding(path, code, message, hint));

const outcomeSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("result"),
    result: z.object({
      score: z.number().min(0).max(1),
      findings: z.array(findingSchema).max(LEAF_FINDINGS_MAX),
    }),
  }),
  z.object({
    kind: z.literal("broke"),
    message: z.string().transform((text) => text.slice(0, MESSAGE_CHARACTERS_MAX).toWellFormed()),
  }),
]);

const replySchema = z.object({
  outcome: outcomeSchema,
  tainted: z.boolean(),
  rssBytes: z.number(),
  cpuMs: z.number(),
});

/** Reads what a child says, which may be compromised; null when it is no reply. */
export function decodeReply(payload: Buffer): Reply | null {
  return decode(replySchema, payload);
}

export function decodeOutcome(payload: Buffer): Outcome | null {
  return decode(outcomeSchema, payload);
}

function decode<T>(schema: z.ZodType<T>, payload: Buffer): T | null {
  try {
    const parsed = schema.safeParse(JSON.parse(payload.toString("utf8")));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
