import { isJsonObject, type Json } from "@contingent/core/json";

/** Whether two values are the same JSON; numbers may differ by this share of the larger one, or by as much absolutely. */
export function isSame(left: Json | undefined, right: Json | undefined, tolerance: number): boolean {
  if (typeof left === "number" && typeof right === "number")
    return left === right || Math.abs(left - right) <= tolerance * Math.max(1, Math.abs(left), Math.abs(right));
  if (Array.isArray(left) && Array.isArray(right)) {
    const others: readonly Json[] = right;
    return left.length === others.length && left.every((item: Json, i) => isSame(item, others[i], tolerance));
  }
  if (isJsonObject(left) && isJsonObject(right)) {
    const names = Object.keys(left);
    return (
      names.length === Object.keys(right).length &&
      names.every((name) => Object.hasOwn(right, name) && isSame(left[name], right[name], tolerance))
    );
  }
  return left === right;
}
