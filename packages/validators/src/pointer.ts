/**
 * JSON pointers (RFC 6901) with one addition: a `*` segment stands for every item of a list.
 * Only own properties are followed, so that `/__proto__` or `/constructor` in an answer mean nothing special.
 */
import { isJsonObject, type Json } from "@contingent/core/json";
import { z } from "zod";
import { VALUES_MAX } from "./bounds.ts";

const POINTER = /^(?:\/(?:[^~/]|~[01])*)*$/;
const POINTER_CHARACTERS_MAX = 500;
const LIST_INDEX = /^(?:0|[1-9]\d{0,8})$/;

/** One place that a pointer means. `value` is undefined when there is nothing. */
export interface Place {
  readonly path: string;
  readonly value: Json | undefined;
}

/** Where a pointer leads; `complete` is false when there were more places than one check looks at. */
export interface Places {
  readonly places: readonly Place[];
  readonly complete: boolean;
}

/** A pointer in options that means exactly one place: `/line_items`, or `""` for the whole. */
export const pointer = z
  .string()
  .max(POINTER_CHARACTERS_MAX)
  .regex(POINTER, 'must be a JSON pointer such as "/line_items", or "" for the whole answer')
  .refine((text) => !segments(text).includes("*"), 'must mean one place: "*" is not allowed here');

/** A pointer in options that may mean many places: with `*` for every item of a list. */
export const manyPointer = z
  .string()
  .max(POINTER_CHARACTERS_MAX)
  .regex(POINTER, 'must be a JSON pointer such as "/total" or "/line_items/*/amount"');

/** The value at a pointer without `*`, or undefined. */
export function valueAt(root: Json, text: string): Json | undefined {
  let value: Json | undefined = root;
  for (const segment of segments(text)) value = step(value, segment);
  return value;
}

/** Every place that a pointer means, in order. A missing place below an existing list item is reported with no value. */
export function placesOf(root: Json, text: string): Places {
  let places: Place[] = [{ path: "", value: root }];
  let complete = true;
  for (const segment of segments(text)) {
    const next: Place[] = [];
    for (const place of places) {
      const found = segment === "*" ? itemsOf(place) : [below(place, segment)];
      complete &&= next.length + found.length <= VALUES_MAX;
      for (const each of found.slice(0, VALUES_MAX - next.length)) next.push(each);
    }
    places = next;
  }
  return { places, complete };
}

/** Appends one name or index to a pointer. */
export function join(path: string, segment: string | number): string {
  return `${path}/${String(segment).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function itemsOf(place: Place): Place[] {
  if (!Array.isArray(place.value)) return [{ path: join(place.path, "*"), value: undefined }];
  const items: readonly Json[] = place.value;
  return items.slice(0, VALUES_MAX + 1).map((value, index) => ({ path: join(place.path, index), value }));
}

function below(place: Place, segment: string): Place {
  return { path: join(place.path, segment), value: step(place.value, segment) };
}

function step(value: Json | undefined, segment: string): Json | undefined {
  if (Array.isArray(value)) {
    const items: readonly Json[] = value;
    return LIST_INDEX.test(segment) ? items[Number(segment)] : undefined;
  }
  return isJsonObject(value) && Object.hasOwn(value, segment) ? value[segment] : undefined;
}

/** The names and indexes of a pointer, in order; none for the whole. */
export function segments(text: string): string[] {
  return text
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
}
