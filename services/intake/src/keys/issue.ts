import { type KeyAsked, type MadeKey, makeKey } from "@contingent/db/key-changes";
import type { IntakeContext } from "../context.ts";
import type { Caller } from "../http/authenticate.ts";
import type { Reply } from "../http/route.ts";
import { findKey } from "./find.ts";
import { refusedKey } from "./refusals.ts";
import { renderKey } from "./render.ts";

/** Makes a key as the caller's key allows. @throws ApiError saying why not */
export async function issueKey(context: IntakeContext, caller: Caller, asked: KeyAsked): Promise<Reply> {
  const made = await makeKey(context.pool, caller.keyId, asked);
  if (made.kind !== "made") throw refusedKey(made);
  return await madeKey(context, caller, made);
}

/** The one answer that shows a key. */
export async function madeKey(context: IntakeContext, caller: Caller, { id, text }: MadeKey): Promise<Reply> {
  const body = { ...renderKey(await findKey(context, caller, id), caller.kind), key: text };
  return { status: 201, body, headers: { Location: `/v1/keys/${id}` } };
}
