/** Values that fit a schema of the document, at its edges as often as within them. */
import fc from "fast-check";
import type { Schema } from "../support/document.ts";
import { SIGNATURE } from "./symbols.ts";

/** Deeper than this only the simplest values are made: schemas may refer to themselves. */
const DEPTH_MAX = 5;
const ITEMS_MAX = 4;
const TEXT_CHARACTERS_MAX = 300;
const ID_PATTERN = /^\^([a-z]{3})_\[0-9a-z\]\{4,40\}\$$/;
const NAME_PATTERN = "^[a-z][a-z0-9-]{0,62}$";
/** Whoever would wait is not waited for; and what is not signed is not looked at. */
const BY_NAME: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  wait: fc.constant(0),
  "webhook-signature": fc.constantFrom(SIGNATURE, SIGNATURE, "v1,bm9uZQ=="),
};

export interface KnownThings {
  /** Ids of things that there are, by their prefix. */
  readonly ids: Readonly<Record<string, readonly string[]>>;
  readonly names: readonly string[];
}

export class Values {
  readonly #schemas: Readonly<Record<string, Schema>>;
  readonly #things: KnownThings;
  readonly #made = new Map<Schema, fc.Arbitrary<unknown>>();

  constructor(schemas: Readonly<Record<string, Schema>>, things: KnownThings) {
    this.#schemas = schemas;
    this.#things = things;
  }

  /** Values of the schema; of a parameter called so. */
  of(schema: Schema, name = ""): fc.Arbitrary<unknown> {
    const given = BY_NAME[name];
    if (given !== undefined) return given;
    const known = this.#made.get(schema);
    if (known !== undefined) return known;
    const made = this.#make(schema, 0);
    this.#made.set(schema, made);
    return made;
  }

  #make(schema: Schema, depth: number): fc.Arbitrary<unknown> {
    const { $ref: reference, anyOf, oneOf, enum: options } = schema;
    if (typeof reference === "string") return this.#make(this.#resolve(reference), depth + 1);
    if ("const" in schema) return fc.constant(schema["const"]);
    if (Array.isArray(options)) return fc.constantFrom<unknown>(...(options as readonly unknown[]));
    const ways = (anyOf ?? oneOf) as readonly Schema[] | undefined;
    if (ways !== undefined) return fc.oneof(...ways.map((way) => this.#make(way, depth + 1)));
    switch (schema["type"]) {
      case "object":
        return this.#object(schema, depth);
      case "array":
        return this.#array(schema, depth);
      case "string":
        return this.#text(schema);
      case "integer":
        return integers(schema);
      case "number":
        return numbers(schema);
      case "boolean":
        return fc.boolean();
      case "null":
        return fc.constant(null);
      default:
        return fc.jsonValue({ maxDepth: 2 });
    }
  }

  #resolve(reference: string): Schema {
    return this.#schemas[reference.slice(reference.lastIndexOf("/") + 1)] ?? {};
  }

  #object(schema: Schema, depth: number): fc.Arbitrary<unknown> {
    const required = new Set((schema["required"] as readonly string[] | undefined) ?? []);
    const properties = Object.entries((schema["properties"] as Record<string, Schema> | undefined) ?? {});
    const wanted = depth < DEPTH_MAX ? properties : properties.filter(([name]) => required.has(name));
    const fields = Object.fromEntries(wanted.map(([name, value]) => [name, this.#make(value, depth + 1)]));
    const whole = fc.record(fields, {
      requiredKeys: wanted.map(([name]) => name).filter((name) => required.has(name)),
    });
    const further = schema["additionalProperties"];
    if (properties.length > 0 || typeof further !== "object" || further === null || depth >= DEPTH_MAX) return whole;
    const names = schema["propertyNames"] as Schema | undefined;
    return fc.dictionary(this.#text(names ?? {}), this.#make(further as Schema, depth + 1), { maxKeys: ITEMS_MAX });
  }

  #array({ items, minItems, maxItems }: Schema, depth: number): fc.Arbitrary<unknown> {
    const minLength = typeof minItems === "number" ? minItems : 0;
    const most = depth < DEPTH_MAX ? ITEMS_MAX : 1;
    const maxLength = Math.max(minLength, Math.min(typeof maxItems === "number" ? maxItems : most, most));
    return fc.array(this.#make((items ?? {}) as Schema, depth + 1), { minLength, maxLength });
  }

  #text({ pattern, format, minLength, maxLength }: Schema): fc.Arbitrary<string> {
    if (format === "date-time") return days().map((day) => `${day}T00:00:00Z`);
    if (format === "date") return days();
    const prefix = typeof pattern === "string" ? ID_PATTERN.exec(pattern)?.[1] : undefined;
    if (prefix !== undefined) return this.#id(prefix);
    if (pattern === NAME_PATTERN) return fc.oneof(fc.constantFrom(...this.#things.names), matching(pattern));
    if (typeof pattern === "string") return matching(pattern);
    const least = typeof minLength === "number" ? minLength : 0;
    const most = Math.min(typeof maxLength === "number" ? maxLength : TEXT_CHARACTERS_MAX, TEXT_CHARACTERS_MAX);
    return fc
      .oneof(fc.string({ unit: "grapheme", minLength: least, maxLength: most }), fc.constant("x".repeat(most)))
      .map((text) => text.replaceAll("\0", "0"));
  }

  #id(prefix: string): fc.Arbitrary<string> {
    const made = matching("^[0-9a-z]{4,40}$").map((body) => `${prefix}_${body}`);
    const known = this.#things.ids[prefix] ?? [];
    return known.length === 0 ? made : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...known) }, made);
  }
}

const MATCHING = new Map<string, fc.Arbitrary<string>>();

/** They are dear to make, and most are the same. */
function matching(pattern: string): fc.Arbitrary<string> {
  const known = MATCHING.get(pattern);
  if (known !== undefined) return known;
  const made = fc.stringMatching(new RegExp(pattern), { size: "small" });
  MATCHING.set(pattern, made);
  return made;
}

function days(): fc.Arbitrary<string> {
  const [min, max] = [new Date("1970-01-01"), new Date("2100-01-01")];
  return fc.date({ min, max, noInvalidDate: true }).map((date) => date.toISOString().slice(0, 10));
}

function integers({ minimum, maximum, exclusiveMinimum }: Schema): fc.Arbitrary<number> {
  const min =
    typeof minimum === "number" ? minimum : typeof exclusiveMinimum === "number" ? exclusiveMinimum + 1 : -1e9;
  const max = typeof maximum === "number" ? maximum : Math.max(min, 1e9);
  return fc.oneof(fc.integer({ min, max }), fc.constantFrom(min, max));
}

function numbers({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Schema): fc.Arbitrary<number> {
  const min = typeof minimum === "number" ? minimum : typeof exclusiveMinimum === "number" ? exclusiveMinimum : -1e6;
  const max = typeof maximum === "number" ? maximum : typeof exclusiveMaximum === "number" ? exclusiveMaximum : 1e6;
  const between = {
    min,
    max,
    noNaN: true,
    minExcluded: exclusiveMinimum === min,
    maxExcluded: exclusiveMaximum === max,
  };
  return fc.double(between);
}
