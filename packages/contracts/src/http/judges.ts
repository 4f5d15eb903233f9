/** Judges: models that `llm_judge` asks, and how they do on answers that are known to be bad. */
import { z } from "zod";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import {
  cursorParameter,
  idSchema,
  limitParameter,
  outcomeTypeNameSchema,
  pageOf,
  reasonSchema,
  timestampSchema,
} from "./values.ts";

const share = z.number().min(0).max(1);

export const judgeSchema = z
  .object({
    object: z.literal("judge"),
    id: idSchema("jdg"),
    outcome_type: z.string(),
    model: z.string().meta({ examples: ["claude-sonnet-5-5"] }),
    validator: z.string().meta({ description: "`name@version`.", examples: ["llm_judge@1"] }),
    state: z.enum(["judging", "suspended"]),
    canaries: z
      .object({
        asked: z.int().min(0),
        passed: z.int().min(0),
        rate: share.nullable().meta({ description: "Passed of asked; null before the first." }),
        low: share.nullable().meta({ description: "The rate is at least this, with 97.5 % confidence." }),
        high: share.nullable().meta({ description: "And at most this." }),
        limit: share.meta({ description: "A judge whose rate is certainly above is suspended." }),
        last_at: timestampSchema,
      })
      .meta({ description: "Known-bad answers: the last ones, since it was reinstated if it was." }),
    suspended_at: timestampSchema.nullable(),
    suspended_because: z.string().nullable(),
    reinstated_at: timestampSchema.nullable().meta({ description: "Null while it is suspended, and if it never was." }),
    reinstated_because: z.string().nullable(),
  })
  .meta({ id: "Judge" });

export type JudgeBody = z.output<typeof judgeSchema>;

export const reinstateJudgeSchema = z
  .strictObject({
    reason: reasonSchema.meta({
      description: "Why it can be believed again; kept.",
      examples: ["The rubric's second criterion was too vague."],
    }),
  })
  .meta({ id: "ReinstateJudge" });

export const listJudges = {
  id: "listJudges",
  method: "get",
  path: "/v1/judges",
  access: "operator",
  scope: "quality:read",
  tag: "Quality",
  summary: "List the judges",
  description:
    "Models that judge, each for an outcome type and a version of the validator, as soon as they were asked about a known-bad answer: how many of those they let through, and whether they are suspended. While a judge is suspended, outcomes of its type are not billed on it.",
  query: z.strictObject({
    outcome_type: outcomeTypeNameSchema.optional(),
    limit: limitParameter,
    cursor: cursorParameter,
  }),
  answers: { 200: { description: "A page of judges.", schema: pageOf(judgeSchema, "JudgePage") } },
  errors: ["invalid_field"],
} as const satisfies Operation;

export const reinstateJudge = {
  id: "reinstateJudge",
  method: "post",
  path: "/v1/judges/{id}/reinstate",
  access: "operator",
  scope: "quality:write",
  tag: "Quality",
  summary: "Let a suspended judge judge again",
  description:
    "Its record of known-bad answers begins anew. The same reason again is the same as once. Jobs that a person was asked about meanwhile stay with that person.",
  params: z.strictObject({ id: idSchema("jdg") }),
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: reinstateJudgeSchema },
  answers: { 200: { description: "The judge, judging.", schema: judgeSchema } },
  errors: [...BODY_ERRORS, "judge_not_found", "judge_not_suspended"],
} as const satisfies Operation;
