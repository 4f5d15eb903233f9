/** Receipts of charges, the keys that verify them, and what a verdict comes to when it is reached again. */
import { z } from "zod";
import { verdictSchema } from "./job.ts";
import { hashSchema, idSchema, jsonObjectSchema, outcomeTypeNameSchema, timestampSchema } from "./values.ts";

/** The `typ` of a receipt's protected header: no other token of ours can pass for a receipt. */
export const RECEIPT_TYPE = "contingent-receipt+jwt";

const canonicalHashSchema = hashSchema.meta({
  description: "SHA-256 over the canonical JSON (RFC 8785) of the value, in UTF-8.",
});

/** What a receipt attests. The texts themselves are not in it, only their hashes. */
export const receiptPayloadSchema = z
  .object({
    iss: z.string().meta({ description: "Who issued it." }),
    sub: idSchema("job").meta({ description: "The job that was charged." }),
    jti: z.string().meta({ description: "The receipt's own id; a charge has one receipt." }),
    iat: z.int().meta({ description: "When it was charged, seconds since 1970." }),
    customer: idSchema("cus"),
    outcome_type: z.object({
      name: outcomeTypeNameSchema,
      version: z.int().min(1),
      hash: hashSchema.meta({ description: "Of the version's definition: it can never say something else." }),
    }),
    outcome_key: z.string().nullable(),
    input_sha256: canonicalHashSchema,
    output_sha256: canonicalHashSchema,
    verdict: z.object({
      id: idSchema("vrd"),
      decision: z.enum(["pass", "partial"]),
      score: z.number().min(0).max(1),
      value: z
        .string()
        .nullable()
        .meta({ description: "The number in the outcome that the price depends on; null when it depends on none." }),
      evidence_hash: hashSchema.meta({
        description: "Of the version, the input, the model's text and the validators.",
      }),
      validators: z.array(z.string()),
    }),
    price: z.object({
      shape: z.string().meta({ examples: ["binary"] }),
      terms: jsonObjectSchema.meta({ description: "By which the amount follows from the verdict." }),
      customer_terms: idSchema("trm")
        .nullable()
        .meta({ description: "The customer's own terms that held; null: the list price." }),
    }),
    amount: z.string().meta({ examples: ["0.04"] }),
    currency: z.literal("USD"),
    charged_at: timestampSchema,
    ledger_transaction: idSchema("txn"),
  })
  .meta({ id: "ReceiptPayload" });

export type ReceiptPayload = z.output<typeof receiptPayloadSchema>;

export const receiptSchema = z
  .object({
    object: z.literal("receipt"),
    job: idSchema("job"),
    jws: z.string().meta({
      description:
        "The receipt: a JWS in compact form, signed with Ed25519. Always the same text. Keep it; verify it with the keys at /.well-known/jwks.json.",
    }),
    payload: receiptPayloadSchema.meta({ description: "What the JWS says, for reading. Only the JWS proves it." }),
  })
  .meta({ id: "Receipt" });

export type ReceiptBody = z.output<typeof receiptSchema>;

export const jwksSchema = z
  .object({
    keys: z.array(
      z.object({
        kty: z.literal("OKP"),
        crv: z.literal("Ed25519"),
        x: z.string(),
        kid: z.string().meta({ description: "The key's RFC 7638 thumbprint." }),
        use: z.literal("sig"),
        alg: z.literal("EdDSA"),
      }),
    ),
  })
  .meta({ id: "Jwks" });

export const reverificationSchema = z
  .object({
    object: z.literal("reverification"),
    job: idSchema("job"),
    verdict: verdictSchema.pick({ id: true, decision: true, score: true }),
    stands: z.boolean().nullable().meta({
      description: "Whether the verdict stands; null: it cannot be said, for the reason that `because` names.",
    }),
    because: z
      .enum([
        "same_result",
        "other_result",
        "evidence_changed",
        "evidence_dropped",
        "validators_changed",
        "validators_broke",
      ])
      .meta({
        description:
          "`same_result`: decision, score and the number that the price depends on come out the same. `other_result`: they do not. `evidence_changed`: what is stored is not what was judged. `evidence_dropped`: the texts were kept for as long as was agreed, and are gone; whoever has them can hold them against the hash. `validators_changed`: they have changed since and now decide otherwise, which says nothing about the verdict of then. `validators_broke`: the check cannot be made any more.",
      }),
    recomputed: verdictSchema
      .pick({ decision: true, score: true, findings: true, validators: true })
      .nullable()
      .meta({ description: "What the validators of today say; null when they could not." }),
    changed_validators: z
      .array(
        z.object({
          was: z.string().meta({ examples: ["json_schema@1"] }),
          is: z.string().nullable().meta({ description: "Null: there is none of this name any more." }),
        }),
      )
      .meta({ description: "Validators of the verdict that are not what they were." }),
    evidence_hash: z.object({
      stored: hashSchema,
      recomputed: hashSchema.nullable(),
      matches: z.boolean().nullable().meta({ description: "Null, as `recomputed`: the evidence has been dropped." }),
    }),
  })
  .meta({ id: "Reverification" });

const scoreThen = z.number().min(0).max(1).nullable();

/** Which leaf says otherwise is for whoever knows the tree. */
export const operatorReverificationSchema = reverificationSchema
  .extend({
    leaves: z
      .array(
        z.object({
          leaf: z.string().meta({ examples: ["/all/1"] }),
          was: scoreThen.meta({ description: "Null: it had no say, or that was not recorded." }),
          is: scoreThen.meta({ description: "Null: it has no say, or the check cannot be made." }),
        }),
      )
      .meta({ description: "What each leaf of the tree said, and what it says today." }),
  })
  .meta({ id: "OperatorReverification" });

/** Either view, by the scope of the key. */
export const anyReverificationSchema = z.union([operatorReverificationSchema, reverificationSchema]);

export type OperatorReverificationBody = z.output<typeof operatorReverificationSchema>;
export type ReverificationBody = z.output<typeof reverificationSchema>;
export type ReverificationCause = ReverificationBody["because"];
