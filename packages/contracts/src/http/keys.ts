/** API keys: what they may do, and how they come and go. */
import type { KeyId } from "@contingent/core/ids";
import { CUSTOMER_SCOPES, EVERY_SCOPE, type KeyScope, OPERATOR_SCOPES } from "@contingent/core/keys/scopes";
import { z } from "zod";
import { customerParams } from "./customers.ts";
import { BODY_ERRORS, JSON_TYPE, type Operation } from "./operation.ts";
import { cursorParameter, idSchema, limitParameter, pageOf, timestampSchema } from "./values.ts";

const LABEL_CHARACTERS_MAX = 255;
/** A week: whoever needs longer to exchange a key makes another one. */
const OVERLAP_MAX_S = 7 * 86_400;
const OVERLAP_DEFAULT_S = 86_400;

const SCOPES_DESCRIPTION =
  "What the key is for: each operation says which scope it needs. `*`: all that its owner may do, what later versions add too. A key gives no more than it has.";

function scopesOf(scope: z.ZodType<KeyScope>) {
  return z
    .array(scope)
    .min(1)
    .refine((given) => new Set(given).size === given.length, { error: "must not have the same scope twice" })
    .refine((given) => given.length === 1 || !given.includes(EVERY_SCOPE), {
      error: "must have no other scope beside *, which is all of them",
    })
    .default([EVERY_SCOPE])
    .meta({ description: SCOPES_DESCRIPTION });
}

const expiresAt = timestampSchema.nullable().optional();

const asked = {
  label: z.string().min(1).max(LABEL_CHARACTERS_MAX).meta({ description: "For people: what the key is for." }),
  mode: z.enum(["live", "test"]).default("live").meta({ description: "Shows in the key's text, and changes nothing." }),
  expires_at: expiresAt.meta({
    description: "Null: never. As long as the key that makes it unless given, and never longer.",
  }),
};

export const createKeySchema = z
  .strictObject({ ...asked, scopes: scopesOf(z.enum([EVERY_SCOPE, ...OPERATOR_SCOPES])) })
  .meta({ id: "CreateKey", examples: [{ label: "nightly batch", scopes: ["jobs:read", "jobs:write"] }] });

export const createCustomerKeySchema = z
  .strictObject({ ...asked, scopes: scopesOf(z.enum([EVERY_SCOPE, ...CUSTOMER_SCOPES])) })
  .meta({ id: "CreateCustomerKey" });

export const rotateKeySchema = z
  .strictObject({
    overlap_s: z.int().min(0).max(OVERLAP_MAX_S).default(OVERLAP_DEFAULT_S).meta({
      description: "For how long the key that is replaced works on, in seconds; a day unless given. 0: not at all.",
    }),
    expires_at: expiresAt.meta({ description: "When the new key ends; as the one that it replaces unless given." }),
  })
  .meta({ id: "RotateKey", examples: [{ overlap_s: 3_600 }] });

export const keySchema = z
  .object({
    id: idSchema("key").meta({ description: "Stands in the key's text, after `ctg_live_`." }),
    object: z.literal("api_key"),
    kind: z.enum(["operator", "customer"]).meta({ description: "Whose it is." }),
    customer_id: idSchema("cus").nullable(),
    label: z.string(),
    mode: z.enum(["live", "test"]),
    scopes: z.array(z.string()).meta({ description: SCOPES_DESCRIPTION }),
    state: z.enum(["active", "expired", "revoked"]),
    created_at: timestampSchema,
    created_by: idSchema("key").nullable().meta({ description: "Null: not with a key that you may see." }),
    expires_at: timestampSchema.nullable(),
    revoked_at: timestampSchema.nullable(),
    revoked_by: idSchema("key").nullable(),
    last_used_at: timestampSchema.nullable().meta({ description: "To the minute." }),
    replaces: idSchema("key").nullable(),
    replaced_by: idSchema("key").nullable().meta({ description: "The newest key that was made to replace it." }),
  })
  .meta({ id: "Key" });

export const newKeySchema = keySchema
  .extend({ key: z.string().meta({ description: "The key itself, shown this once: only its hash is kept." }) })
  .meta({ id: "NewKey" });

export type KeyBody = z.output<typeof keySchema>;

const keyParams = z.strictObject({ id: idSchema("key") }) satisfies z.ZodType<{ id: KeyId }>;
const NO_QUERY = z.strictObject({});

const MADE = {
  201: { description: "Made.", schema: newKeySchema, headers: { Location: "Where to read what the key may do." } },
};

export const createKey = {
  id: "createKey",
  method: "post",
  path: "/v1/keys",
  access: "any",
  scope: "keys:write",
  tag: "Keys",
  summary: "Make another API key for yourself",
  description:
    "A customer makes keys of their own, an operator keys of the operator's. The answer is the only time that the key is shown. Each request makes another key; one whose answer was lost is found in the list, and revoked.",
  query: NO_QUERY,
  body: { type: JSON_TYPE, schema: createKeySchema },
  answers: MADE,
  errors: [...BODY_ERRORS, "too_many_keys"],
} as const satisfies Operation;

export const createCustomerKey = {
  id: "createCustomerKey",
  method: "post",
  path: "/v1/customers/{id}/keys",
  access: "operator",
  scope: "keys:write",
  tag: "Keys",
  summary: "Make an API key for a customer",
  description:
    "The answer is the only time that the key is shown: only its hash is kept. Each request makes another key.",
  params: customerParams,
  query: NO_QUERY,
  body: { type: JSON_TYPE, schema: createCustomerKeySchema },
  answers: MADE,
  errors: [...BODY_ERRORS, "customer_not_found", "too_many_keys"],
} as const satisfies Operation;

export const listKeys = {
  id: "listKeys",
  method: "get",
  path: "/v1/keys",
  access: "any",
  scope: "keys:read",
  tag: "Keys",
  summary: "List API keys, newest first",
  description: "Never with their secrets; those that have ended, too. Customers see their own, operators everybody's.",
  query: z.strictObject({
    customer_id: idSchema("cus").optional().meta({ description: "Operators only: the keys of one customer." }),
    kind: z.enum(["operator", "customer"]).optional(),
    created_by: idSchema("key").optional().meta({ description: "Only keys that were made with this one." }),
    limit: limitParameter,
    cursor: cursorParameter,
  }),
  answers: { 200: { description: "A page of keys.", schema: pageOf(keySchema, "KeyPage") } },
  errors: ["wrong_scope"],
} as const satisfies Operation;

export const getKey = {
  id: "getKey",
  method: "get",
  path: "/v1/keys/{id}",
  access: "any",
  scope: "keys:read",
  tag: "Keys",
  summary: "Read what an API key may do, and whether it is used",
  params: keyParams,
  query: NO_QUERY,
  answers: { 200: { description: "The key, without its secret.", schema: keySchema } },
  errors: ["key_not_found"],
} as const satisfies Operation;

export const rotateKey = {
  id: "rotateKey",
  method: "post",
  path: "/v1/keys/{id}/rotate",
  access: "any",
  scope: "keys:write",
  tag: "Keys",
  summary: "Replace an API key",
  description:
    "Makes a key with the same scopes and label; both work until the overlap is over. Asked again while the new key works it is a 409 that names it.",
  params: keyParams,
  query: NO_QUERY,
  body: { type: JSON_TYPE, schema: rotateKeySchema },
  answers: MADE,
  errors: [...BODY_ERRORS, "key_not_found", "key_ended", "key_replaced", "last_operator_key", "too_many_keys"],
} as const satisfies Operation;

export const revokeKey = {
  id: "revokeKey",
  method: "post",
  path: "/v1/keys/{id}/revoke",
  access: "any",
  scope: "keys:write",
  tag: "Keys",
  summary: "End an API key",
  description:
    "For good, within five seconds everywhere; whatever waits, watches or uploads with it ends too. Keys that were made with it live on: the list finds them by `created_by`. Revoking twice is the same as once.",
  params: keyParams,
  query: NO_QUERY,
  answers: { 200: { description: "The key, revoked.", schema: keySchema } },
  errors: ["key_not_found", "last_operator_key"],
} as const satisfies Operation;

export const KEY_OPERATIONS: readonly Operation[] = [
  createKey,
  createCustomerKey,
  listKeys,
  getKey,
  rotateKey,
  revokeKey,
];
