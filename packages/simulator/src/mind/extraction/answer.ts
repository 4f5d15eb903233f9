/** Puts what was read into the fields that the request's schema asks for. */
import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import { isList } from "../../json.ts";
import type { Extracted } from "./extract.ts";
import type { LineItem } from "./lines.ts";

/** Names under which a schema may ask for a field; the first is the one that findings and mistakes go by. */
export const FIELD_NAMES = {
  kind: ["document_kind", "kind", "document_type", "type"],
  number: ["number", "invoice_number", "document_number", "order_number", "reference"],
  issueDate: ["issue_date", "date", "invoice_date", "order_date", "issued_on"],
  currency: ["currency", "currency_code"],
  seller: ["seller", "vendor", "supplier", "seller_name", "vendor_name"],
  buyer: ["buyer", "customer", "bill_to", "buyer_name", "customer_name"],
  lineItems: ["line_items", "items", "lines"],
  subtotal: ["subtotal", "net", "net_amount", "net_total"],
  discount: ["discount"],
  shipping: ["shipping", "freight", "delivery"],
  tax: ["tax", "vat", "tax_amount", "total_tax"],
  total: ["total", "total_amount", "grand_total", "amount_due"],
  evidence: ["evidence", "total_quote"],
} as const satisfies Record<keyof Extracted, readonly string[]>;

export const LINE_NAMES = {
  description: ["description", "name", "item", "product"],
  quantity: ["quantity", "qty", "count"],
  unitPrice: ["unit_price", "price", "rate"],
  amount: ["amount", "total", "line_total"],
} as const satisfies Record<keyof LineItem, readonly string[]>;

/** The name under which an answer (or a schema's properties) has the field, or null. */
export function nameOf(field: keyof Extracted, has: JsonObject): string | null {
  return FIELD_NAMES[field].find((name) => Object.hasOwn(has, name)) ?? null;
}

/** Whether a schema asks for what a business document says: its line items and a total or a party. */
export function asksForDocument(schema: JsonObject): boolean {
  const properties = schema["properties"];
  if (!isJsonObject(properties)) return false;
  const items = nameOf("lineItems", properties);
  const list = items === null ? undefined : properties[items];
  const hasItems = isJsonObject(list) && isJsonObject(list["items"]);
  return hasItems && (["total", "seller", "buyer", "number"] as const).some((f) => nameOf(f, properties) !== null);
}

export function answerFor(schema: JsonObject, extracted: Extracted): JsonObject {
  const lineSchema = lineSchemaOf(schema);
  const lines = extracted.lineItems.map((line) =>
    fill(lineSchema, LINE_NAMES, {
      description: line.description,
      quantity: line.quantity,
      unitPrice: line.unitPrice,
      amount: line.amount,
    }),
  );
  return fill(schema, FIELD_NAMES, { ...extracted, lineItems: lines });
}

function lineSchemaOf(schema: JsonObject): JsonObject {
  const properties = schema["properties"];
  const name = isJsonObject(properties) ? nameOf("lineItems", properties) : null;
  const list = isJsonObject(properties) && name !== null ? properties[name] : undefined;
  const items = isJsonObject(list) ? list["items"] : undefined;
  return isJsonObject(items) ? items : {};
}

/** An object with every property of the schema: the value of that name, or nothing in the schema's own way. */
function fill(
  schema: JsonObject,
  names: Readonly<Record<string, readonly string[]>>,
  values: Readonly<Record<string, Json>>,
): JsonObject {
  const properties = isJsonObject(schema["properties"]) ? schema["properties"] : {};
  return Object.fromEntries(
    Object.entries(properties).map(([name, property]) => {
      const [field] = Object.entries(names).find(([, known]) => known.includes(name)) ?? [];
      return [name, fitting(field === undefined ? null : (values[field] ?? null), property)];
    }),
  );
}

/** The value, or what the schema allows in place of none. */
function fitting(value: Json, schema: Json | undefined): Json {
  if (!isJsonObject(schema)) return value;
  const options = schema["enum"];
  if (isList(options) && !options.includes(value)) return options.includes("other") ? "other" : (options[0] ?? null);
  if (isParty(schema) && typeof value === "string") return fill(schema, { name: ["name"] }, { name: value });
  if (value !== null) return typeof value === "number" && typesOf(schema).includes("string") ? String(value) : value;
  const types = typesOf(schema);
  if (types.length === 0 || types.includes("null")) return null;
  if (types.includes("string")) return "";
  if (types.includes("array")) return [];
  if (types.includes("boolean")) return false;
  return types.includes("object") ? fill(schema, {}, {}) : 0;
}

function isParty(schema: JsonObject): boolean {
  return isJsonObject(schema["properties"]) && Object.hasOwn(schema["properties"], "name");
}

function typesOf(schema: JsonObject): readonly Json[] {
  const { type, anyOf } = schema;
  if (isList(anyOf)) return anyOf.flatMap((variant) => (isJsonObject(variant) ? typesOf(variant) : []));
  if (type === undefined) return [];
  return isList(type) ? type : [type];
}
