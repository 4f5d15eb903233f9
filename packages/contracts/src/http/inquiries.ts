/** What a service of the operator's replies to an inquiry: in its response, or later, by a request of its own. */
import { z } from "zod";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import { idSchema } from "./values.ts";

/** The code of a finding that its service has given none. */
export const BY_SERVICE = "rejected_by_service";
const CODE = /^[a-z][a-z0-9_]{0,62}$/;
/** More findings than any verdict keeps are no reason to refuse a reply; a list without an end is. */
const FINDINGS_MAX = 1_000;

/** Names that it does not know are let be: services grow. */
export const serviceReplySchema = z
  .object({
    decision: z.enum(["pass", "fail"]).optional(),
    score: z.number().min(0).max(1).optional().meta({ description: "Without it a pass is 1 and a fail is 0." }),
    findings: z
      .array(
        z.object({
          path: z
            .string()
            .default("")
            .meta({ description: 'Where: a JSON pointer into the output; "" is the whole output.' }),
          code: z
            .string()
            .regex(CODE, { error: "must be 1 to 63 lower-case letters, digits and underscores" })
            .default(BY_SERVICE),
          message: z.string().trim().min(1),
          hint: z.string().optional().meta({ description: "What would correct it." }),
        }),
      )
      .max(FINDINGS_MAX)
      .default([])
      .meta({ description: "What is wrong, each for the next attempt to correct." }),
  })
  .refine(({ decision, score }) => decision !== undefined || score !== undefined, {
    error: "must have a decision, a score or both",
  })
  .refine(({ decision, score }) => !(decision === "pass" && score === 0) && !(decision === "fail" && score === 1), {
    path: ["score"],
    error: "contradicts the decision",
  })
  .meta({ id: "ServiceReply" });

export const replyToInquiry = {
  id: "replyToInquiry",
  method: "post",
  path: "/v1/inquiries/{id}/reply",
  access: "public",
  scope: null,
  tag: "Outcome types",
  summary: "Reply to an inquiry of an `http` validator",
  description:
    "For services that answered 202. There is no API key: the request is signed by Standard Webhooks (`webhook-id`, the inquiry's id; `webhook-timestamp`; `webhook-signature`) with the secret that the inquiry was signed with. The same reply again is the same as once.",
  params: z.strictObject({ id: idSchema("inq") }),
  query: z.strictObject({}),
  headers: z.object({
    "webhook-id": z.string().optional().meta({ description: "The inquiry's id." }),
    "webhook-timestamp": z.string().optional().meta({ description: "Seconds since 1970; good for five minutes." }),
    "webhook-signature": z.string().optional().meta({ description: "`v1,<base64>`, or several with spaces between." }),
  }),
  body: { type: JSON_TYPE, schema: serviceReplySchema },
  answers: {
    200: {
      description: "The reply is recorded, and the job goes on with it.",
      schema: z
        .object({
          object: z.literal("inquiry"),
          id: idSchema("inq"),
          state: z.literal("replied"),
          score: z.number().min(0).max(1),
        })
        .meta({ id: "RepliedInquiry" }),
    },
  },
  errors: [...BODY_ERRORS, "invalid_signature", "too_many_failures", "inquiry_replied", "inquiry_over"],
} as const satisfies Operation;
