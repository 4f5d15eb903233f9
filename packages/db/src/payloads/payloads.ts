/**
 * Texts of customers, models and reviewers on their way into the database and out of it. Where the operator configures
 * master keys they are sealed with a key of the customer's; else they are stored as they are. What was stored before is
 * read all the same.
 */
import type { CustomerId } from "@contingent/core/ids";
import { isJsonObject, type Json } from "@contingent/core/json";
import type { Pool } from "../pool.ts";
import { storableJson } from "../storable.ts";
import { open, seal } from "./cipher.ts";
import { type Keyring, type MasterKey, openKeyring } from "./keyring.ts";
import { MARKED_TEXT, markPlain, markPlainText, markSealed, readMark } from "./marker.ts";

/** What a text is and whose, `output att_01k…`: it can be opened in no other place. */
export type Place = `${"input" | "metadata" | "output" | "error" | "findings" | "detail" | "answer"} ${string}`;

/** Seals texts of one customer. */
export interface Sealer {
  readonly json: (place: Place, value: Json) => Json;
  readonly text: (place: Place, value: string) => string;
}

/** A text as it is found: there, or dropped with its hash. Null: not even that is known. */
export type Found<Value = Json> =
  | { readonly kind: "kept"; readonly value: Value }
  | { readonly kind: "dropped"; readonly sha256: string | null };

export interface Payloads {
  readonly sealer: (customerId: CustomerId) => Promise<Sealer>;
  readonly look: (place: Place, stored: Json) => Promise<Found>;
}

/** Somebody needs a text that has been dropped. */
export class PayloadDropped extends Error {
  override readonly name = "PayloadDropped";
}

/** Stores texts as they are. */
export const PLAIN: Payloads = {
  sealer: () => Promise.resolve(PLAIN_SEALER),
  look: async (place, stored) => await looked(null, place, stored),
};

const PLAIN_SEALER: Sealer = {
  json: (_, value) => markPlain(value),
  text: (_, value) => markPlainText(value),
};

/** @param masters none: texts are stored as they are */
export function openPayloads(pool: Pool, masters: readonly MasterKey[]): Payloads {
  const [first, ...others] = masters;
  if (first === undefined) return PLAIN;
  const keyring = openKeyring(pool, [first, ...others]);
  return {
    async sealer(customerId) {
      const { id, key } = await keyring.inUse(customerId);
      const json = (place: Place, value: Json): Json => {
        const content = Buffer.from(JSON.stringify(storableJson(value)));
        return markSealed(seal(key, place, content).toString("base64"), id);
      };
      return { json, text: (place, value) => JSON.stringify(json(place, value)) };
    },
    look: async (place, stored) => await looked(keyring, place, stored),
  };
}

async function looked(keyring: Keyring | null, place: Place, stored: Json): Promise<Found> {
  const marked = readMark(stored);
  switch (marked.kind) {
    case "plain":
      return { kind: "kept", value: marked.value };
    case "dropped":
      return { kind: "dropped", sha256: marked.sha256 };
    case "sealed": {
      if (keyring === null) throw new Error(`the text "${place}" is sealed, and PAYLOAD_KEYS is not set`);
      const key = await keyring.byId(marked.key);
      if (key === null) return { kind: "dropped", sha256: null };
      const value = JSON.parse(open(key.key, place, Buffer.from(marked.sealed, "base64")).toString()) as Json;
      return { kind: "kept", value: isJsonObject(value) ? { ...value, ...marked.beside } : value };
    }
  }
}

/** The value that was stored, where a dropped one is of no use. @throws PayloadDropped */
export async function opened<Value>(payloads: Payloads, place: Place, stored: Value): Promise<Value> {
  const found = await payloads.look(place, stored as Json);
  if (found.kind === "dropped") throw new PayloadDropped(`the text "${place}" has been dropped`);
  return found.value as Value;
}

/** The value that was stored, or what stands for it once it is dropped. */
export async function openedOr<Value>(payloads: Payloads, place: Place, stored: Value, dropped: Value): Promise<Value> {
  const found = await payloads.look(place, stored as Json);
  return found.kind === "dropped" ? dropped : (found.value as Value);
}

/** The same as `look` for a column of text. */
export async function foundText(payloads: Payloads, place: Place, stored: string): Promise<Found<string>> {
  if (!stored.startsWith(MARKED_TEXT)) return { kind: "kept", value: stored };
  const found = await payloads.look(place, JSON.parse(stored) as Json);
  if (found.kind === "dropped") return found;
  if (typeof found.value !== "string") throw new Error(`what is stored as "${place}" is no text`);
  return { kind: "kept", value: found.value };
}

/** @throws PayloadDropped */
export async function openedText(payloads: Payloads, place: Place, stored: string): Promise<string> {
  const found = await foundText(payloads, place, stored);
  if (found.kind === "dropped") throw new PayloadDropped(`the text "${place}" has been dropped`);
  return found.value;
}
