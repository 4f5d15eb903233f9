/** Text for a page: everything escaped, amounts and dates for people. */
import type { Reason, Resolution } from "@contingent/core/job/job";
import { formatMoney, type Nanos } from "@contingent/core/money";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Safe between tags and within quoted attributes. */
export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/** Somebody else's words: they may be written in another direction, or claim to, and must not turn ours around. */
export function foreign(text: string): string {
  return `<bdi>${escaped(text)}</bdi>`;
}

/** `1,234.50`, with a true minus sign. */
export function amount(value: Nanos): string {
  const [units = "", fraction = ""] = formatMoney(value).replace("-", "").split(".");
  return `${value < 0n ? "−" : ""}${units.replaceAll(/\B(?=(\d{3})+$)/g, ",")}.${fraction}`;
}

/** How many digits after the point the longest of these has. */
export function fractionDigits(values: Iterable<Nanos>): number {
  let digits = 2;
  for (const value of values) digits = Math.max(digits, fractionOf(value).length);
  return digits;
}

/** The amount in a column of amounts: shorter ones are filled up with digits that are not seen, so that the points align. */
export function aligned(value: Nanos, digits: number): string {
  const missing = "0".repeat(Math.max(0, digits - fractionOf(value).length));
  return missing === "" ? amount(value) : `${amount(value)}<i>${missing}</i>`;
}

function fractionOf(value: Nanos): string {
  return formatMoney(value).split(".")[1] ?? "";
}

export function count(value: number): string {
  return value.toString().replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/** `30 November 2026`, of UTC. */
export function day(atMs: number): string {
  const at = new Date(atMs);
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`;
}

/** `1–30 November 2026`, of a period that is a month. */
export function month({ endMs }: { readonly endMs: number }): string {
  return `1–${day(endMs - 1)}`;
}

/** `2026-11-03 14:05`, of the timestamps that lines have. */
export function minute(at: string): string {
  return at.slice(0, 16).replace("T", " ");
}

/** Why a job ended as it did, for whoever pays. */
export const REASON_WORDS: Readonly<Record<Reason, string>> = {
  verified: "Verified",
  accepted: "Accepted",
  accepted_by_silence: "Accepted by silence",
  exhausted: "The outcome was not reached",
  cost_cap: "Given up: out of proportion",
  deadline: "Not reached by the deadline",
  canceled: "Canceled",
  rejected: "Rejected",
  lapsed: "Not accepted in time",
  refused: "Refused by the models",
  provider_outage: "No model was available",
  validator_error: "Could not be verified",
};

export const RESOLUTION_WORDS: Readonly<Record<Resolution, string>> = {
  success: "Success",
  partial: "Partial",
  failure: "Not charged",
};
