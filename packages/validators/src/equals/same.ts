import { isJsonObject, type Json } from "@contingent/core/json";
import type { Fold } from "../text.ts";

/**
 * Whether two JSON values are the same: the order of an object's names does not matter, that of a list's items does. A
 * number is the double that its JSON text stands for, so `1`, `1.0` and `1e0` are one number, and `"1"` is none.
 */
export function isSame(left: Json | undefined, right: Json | undefined, fold: Fold): boolean {
  if (left === right) return true;
  if (typeof left === "string" && typeof right === "string") return fold(left) === fold(right);
  if (Array.isArray(left) && Array.isArray(right)) {
    const others: readonly Json[] = right;
    return left.length === others.length && left.every((item: Json, i) => isSame(item, others[i], fold));
  }
  if (!isJsonObject(left) || !isJsonObject(right)) return false;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && isSame(left[name], right[name], fold))
  );
}
