/** Providers' models as they fare: which of them are called now, and what an operator can say to that. */
import { BREAKER_STATES } from "@contingent/core/breaker/breaker";
import { z } from "zod";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import { cursorParameter, limitParameter, moneySchema, pageOf, reasonSchema, timestampSchema } from "./values.ts";

const NAME_CHARACTERS_MAX = 200;

const modelSchema = z
  .string()
  .min(1)
  .max(NAME_CHARACTERS_MAX)
  .meta({ description: "The exact id that the provider bills by.", examples: ["claude-haiku-5-5"] });

export const providerModelSchema = z
  .object({
    object: z.literal("provider_model"),
    provider: z.string().meta({ examples: ["anthropic"] }),
    model: z.string().meta({ examples: ["claude-haiku-5-5"] }),
    state: z.enum(BREAKER_STATES).meta({
      description:
        "Of its circuit breaker. `closed`: it is called. `open`: it has failed too often, or for too much money, and counts as unavailable. `half_open`: one call is being made to see whether it is well again.",
    }),
    forced: z.boolean().meta({ description: "Whether an operator keeps it so." }),
    since: timestampSchema.nullable().meta({ description: "Since when it is called, or is not; null: always." }),
    because: z
      .string()
      .nullable()
      .meta({
        description: "Why it changed last; null: it never has.",
        examples: ["24 of 31 calls failed within 5 s."],
      }),
    next_probe_at: timestampSchema
      .nullable()
      .meta({ description: "When one call may be made to see; null: none is due." }),
    last_minute: z
      .object({
        calls: z.int().min(0),
        failures: z.int().min(0),
        spent: moneySchema.meta({ description: "What the calls cost, at their worst case where that is not known." }),
        burnt: moneySchema.meta({ description: "What of it went to calls that failed." }),
      })
      .meta({
        description: "Calls since its breaker changed last, at most a minute ago: what decides whether it opens.",
      }),
  })
  .meta({ id: "ProviderModel" });

export type ProviderModelBody = z.output<typeof providerModelSchema>;

export const putBreakerSchema = z
  .strictObject({
    model: modelSchema,
    state: z.enum(["open", "closed", "automatic"]).meta({
      description:
        "`open`: it is not called. `closed`: it is called, whatever fails. `automatic`: its calls decide again.",
    }),
    reason: reasonSchema.meta({
      description: "Why; shown.",
      examples: ["The provider has announced an outage until noon."],
    }),
  })
  .meta({ id: "PutBreaker" });

const TAG = "Providers";

export const listProviderModels = {
  id: "listProviderModels",
  method: "get",
  path: "/v1/providers",
  access: "operator",
  scope: "system:read",
  tag: TAG,
  summary: "List the providers' models and whether they are called",
  description:
    "Every model that has a price, with its circuit breaker, which all processes share. A model whose breaker is open is passed over without a call, as if it were unavailable. Only a provider's own failures count: no answer, half an answer, an error of its own; never what an answer says, nor that a request was refused.",
  query: z.strictObject({ limit: limitParameter, cursor: cursorParameter }),
  answers: {
    200: { description: "A page of models, by their ids.", schema: pageOf(providerModelSchema, "ProviderModelPage") },
  },
  errors: ["invalid_field"],
} as const satisfies Operation;

export const putBreaker = {
  id: "putBreaker",
  method: "put",
  path: "/v1/providers/{name}/breaker",
  access: "operator",
  scope: "system:write",
  tag: TAG,
  summary: "Keep a model from being called, or let it be called",
  description: "Known to all processes within a second. The same again is the same as once.",
  params: z.strictObject({ name: z.string().min(1).max(NAME_CHARACTERS_MAX) }),
  query: z.strictObject({}),
  body: { type: JSON_TYPE, schema: putBreakerSchema },
  answers: { 200: { description: "The model, as it stands then.", schema: providerModelSchema } },
  errors: [...BODY_ERRORS, "model_not_found"],
} as const satisfies Operation;

export const PROVIDER_OPERATIONS: readonly Operation[] = [listProviderModels, putBreaker];
