/** The leaves of a tree as it was sent, malformed or not: for checks that look at more than one of them. */
import { isJsonObject, type Json } from "@contingent/core/json";
import { join } from "@contingent/validators/pointer";

export interface SentLeaf {
  /** JSON pointer into the definition. */
  readonly path: string;
  readonly use: string;
  readonly options: Json | undefined;
}

/** Everything below the node that names a validator, with its place. */
export function leavesIn(node: Json | undefined, path: string): readonly SentLeaf[] {
  if (isJsonObject(node) && typeof node["use"] === "string")
    return [{ path, use: node["use"], options: node["options"] }];
  return membersOf(node).flatMap(([name, member]) => leavesIn(member, join(path, name)));
}

/** The members of a list or an object, with their names. */
export function membersOf(value: Json | undefined): readonly (readonly [string, Json])[] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}
