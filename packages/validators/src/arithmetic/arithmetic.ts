import type { Json } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { z } from "zod";
import { LEAF_FINDINGS_MAX, VALUES_MAX } from "../bounds.ts";
import { type Decimal, decimalOf, NOUGHT, plus, textOf, times, within } from "../decimal.ts";
import { finding, quote, shareResult } from "../finding.ts";
import { EXAMPLES, hasFormat } from "../format/formats.ts";
import { join, pointer, valueAt } from "../pointer.ts";
import type { LeafResult, Validator } from "../validator.ts";

const SUMS_MAX = 20;
const PARTS_MAX = 20;
/** For reading a number and adding it, or multiplying by it. */
const STEPS_PER_NUMBER = 130;

/** `total` is the sum of `parts`. A part that is absent or null counts as nothing. */
interface PartsSum {
  readonly total: string;
  readonly parts: readonly string[];
}

/** `total` is the sum of `field` over the items of the list at `each`. */
interface EachSum {
  readonly total: string;
  readonly each: string;
  readonly field: string;
}

/** In every item of the list at `each`, `total_field` is the product of the fields `product`. */
interface EachProduct {
  readonly each: string;
  readonly total_field: string;
  readonly product: readonly string[];
}

export interface ArithmeticOptions {
  readonly sums: readonly (PartsSum | EachSum | EachProduct)[];
  /** Dates, none of which is before the one named in front of it. */
  readonly date_orders: readonly (readonly string[])[];
  /** The largest difference that still holds, in the numbers' own unit. */
  readonly tolerance: number;
}

const fieldName = z.string().min(1).max(200);
const sum = z.union(
  [
    z.strictObject({ total: pointer, parts: z.array(pointer).min(1).max(PARTS_MAX) }),
    z.strictObject({ total: pointer, each: pointer, field: fieldName }),
    z.strictObject({ each: pointer, total_field: fieldName, product: z.array(fieldName).min(2).max(PARTS_MAX) }),
  ],
  'must be {"total", "parts"}, {"total", "each", "field"} or {"each", "total_field", "product"}',
);

/** Whether the numbers of the answer add up, and its dates follow each other. One wrong line makes its whole sum wrong. */
export const arithmetic: Validator<ArithmeticOptions> = {
  name: "arithmetic",
  version: 1,
  place: "inline",
  options: z
    .strictObject({
      sums: z.array(sum).max(SUMS_MAX).default([]),
      date_orders: z.array(z.array(pointer).min(2).max(PARTS_MAX)).max(SUMS_MAX).default([]),
      tolerance: z.number().nonnegative().max(1_000_000).default(0),
    })
    .refine((options) => options.sums.length + options.date_orders.length > 0, 'needs "sums", "date_orders" or both'),
  steps: ({ output }, { sums }) => STEPS_PER_NUMBER * sums.reduce((total, each) => total + numbersIn(each, output), 0),
  validate({ output }, { sums, date_orders: dateOrders, tolerance }): LeafResult {
    const allowed = decimalOf(tolerance) ?? NOUGHT;
    const findings = [
      ...sums.map((each) => problemsOf(each, output, allowed)),
      ...dateOrders.map((paths) => disorderOf(paths, output)),
    ];
    return shareResult(findings.filter((found) => found.length === 0).length, findings.length, findings.flat());
  },
};

function numbersIn(sum: PartsSum | EachSum | EachProduct, output: Json): number {
  if ("parts" in sum) return sum.parts.length;
  const items = valueAt(output, sum.each);
  return (Array.isArray(items) ? items.length : 0) * ("product" in sum ? sum.product.length : 1);
}

function problemsOf(sum: PartsSum | EachSum | EachProduct, output: Json, tolerance: Decimal): readonly Finding[] {
  if ("parts" in sum) {
    const parts = sum.parts.map((path) => ({ path, value: valueAt(output, path) ?? 0 }));
    return checkTotal(sum.total, output, parts, tolerance);
  }
  const items = valueAt(output, sum.each);
  if (!Array.isArray(items)) return [finding(sum.each, "not_a_list", "There is no list here to add up.", "Add it.")];
  if (items.length > VALUES_MAX) return [finding(sum.each, "too_many", `The list has more than ${VALUES_MAX} items.`)];
  if ("field" in sum) {
    const parts = items.map((item: Json, index) => fieldOf(item, join(sum.each, index), sum.field));
    return checkTotal(sum.total, output, parts, tolerance);
  }
  // No line at all would make every product true.
  if (items.length === 0) return [finding(sum.each, "empty_list", "The list is empty.", "List every line.")];
  return items
    .flatMap((item: Json, index) => checkProduct(item, join(sum.each, index), sum, tolerance))
    .slice(0, LEAF_FINDINGS_MAX);
}

interface Part {
  readonly path: string;
  readonly value: Json | undefined;
}

function fieldOf(item: Json, itemPath: string, name: string): Part {
  return { path: join(itemPath, name), value: valueAt(item, join("", name)) };
}

function checkTotal(totalPath: string, output: Json, parts: readonly Part[], tolerance: Decimal): readonly Finding[] {
  const total = decimalOf(valueAt(output, totalPath));
  const unreadable = parts.filter((part) => decimalOf(part.value) === null).slice(0, LEAF_FINDINGS_MAX);
  const findings = unreadable.map(notANumber);
  if (total === null) findings.unshift(notANumber({ path: totalPath, value: valueAt(output, totalPath) }));
  if (total === null || findings.length > 0) return findings;
  const expected = parts.reduce((sum, part) => plus(sum, decimalOf(part.value) ?? NOUGHT), NOUGHT);
  if (within(total, expected, tolerance)) return [];
  const message = `The value is ${short(total)}, but its parts add up to ${short(expected)}.`;
  return [finding(totalPath, "sum_mismatch", message, "Read the total and every part again.")];
}

function checkProduct(item: Json, itemPath: string, sum: EachProduct, tolerance: Decimal): readonly Finding[] {
  const total = fieldOf(item, itemPath, sum.total_field);
  const factors = sum.product.map((name) => fieldOf(item, itemPath, name));
  const unreadable = [total, ...factors].filter((part) => decimalOf(part.value) === null);
  if (unreadable.length > 0) return unreadable.map(notANumber);
  const expected = factors.reduce<Decimal>((product, part) => times(product, decimalOf(part.value) ?? NOUGHT), ONE);
  const value = decimalOf(total.value) ?? NOUGHT;
  if (within(value, expected, tolerance)) return [];
  const message = `The value is ${short(value)}, but ${sum.product.join(" × ")} is ${short(expected)}.`;
  return [finding(total.path, "product_mismatch", message, "Read the line again.")];
}

/** Dates written YYYY-MM-DD are in order as texts are. What is absent or null is in nobody's way. */
function disorderOf(paths: readonly string[], output: Json): readonly Finding[] {
  const dates = paths
    .map((path) => ({ path, value: valueAt(output, path) ?? null }))
    .filter(({ value }) => value !== null);
  return dates.flatMap(({ path, value }, index): Finding[] => {
    if (!isDate(value))
      return [finding(path, "not_date", `${quote(value)} is not ${EXAMPLES.date}.`, "Write it in that form.")];
    const before = dates[index - 1];
    if (before === undefined || !isDate(before.value) || before.value <= value) return [];
    const message = `The date ${quote(value)} is before ${quote(before.value)}, the one at ${before.path}.`;
    return [finding(path, "date_before", message, "Read both dates again.")];
  });
}

function isDate(value: Json): value is string {
  return typeof value === "string" && hasFormat("date", value);
}

const ONE: Decimal = { digits: 1n, scale: 0 };

function notANumber({ path, value }: Part): Finding {
  const message = `This must be a number, and is ${quote(value)}.`;
  return finding(path, "not_a_number", message, "Write it without currency, unit or thousands separator.");
}

function short(value: Decimal): string {
  const text = textOf(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
