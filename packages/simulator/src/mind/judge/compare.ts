/** Where an answer differs from the one that the judge would have given. */
import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import { isList } from "../../json.ts";

/** Text beside the answer, that two right answers need not share. */
const ASIDE = /^(?:explanation|summary|reason|reasoning|comment|notes?|confidence)$/;
const ROUNDING = 0.005;

/** The names of the fields that are not as they should be; `answer` where it is not even of the same kind. */
export function differences(right: Json, answer: Json): readonly string[] {
  if (!isJsonObject(right)) return isSame(right, answer) ? [] : ["answer"];
  if (!isJsonObject(answer)) return ["answer"];
  return Object.entries(right)
    .filter(([name]) => !ASIDE.test(name))
    .filter(([name, value]) => isNothing(value) || !isSame(value, answer[name]))
    .map(([name]) => name);
}

/** Fields that the schema requires and that have nothing in them. */
export function emptyFields(answer: Json, schema: JsonObject): readonly string[] {
  if (!isJsonObject(answer)) return typeof answer === "string" && answer.trim() !== "" ? [] : ["answer"];
  const required = isList(schema["required"]) ? schema["required"] : [];
  return required.flatMap((name) => {
    if (typeof name !== "string") return [];
    const value = answer[name];
    return value === undefined || value === null || value === "" || isNothing(value) ? [name] : [];
  });
}

/**
 * Fields with a slip of copying in them: what is there does not stand in the input, and stands there with its last digit
 * one more or less. What was worked out, and stands nowhere, is no slip.
 */
export function slips(answer: Json, input: string): readonly string[] {
  if (!isJsonObject(answer)) return [];
  return Object.entries(answer)
    .filter(([, value]) => hasSlip(value, input))
    .map(([name]) => name);
}

const COPIED_CHARACTERS_MAX = 40;

function hasSlip(value: Json, input: string): boolean {
  if (isList(value)) return value.some((item) => hasSlip(item, input));
  if (isJsonObject(value)) return Object.values(value).some((item) => hasSlip(item, input));
  const isCopied = typeof value === "number" || (typeof value === "string" && value.length <= COPIED_CHARACTERS_MAX);
  if (!isCopied || stands(String(value), input)) return false;
  const neighbours =
    typeof value === "number"
      ? [value - 1, value + 1].map(String)
      : [-1, 1].map((by) => value.replace(/\d(?=\D*$)/, (digit) => String(Number(digit) + by)));
  return neighbours.some((text) => stands(text, input));
}

/** Whether the text stands in the other, and not only as a part of a longer word or number. */
function stands(text: string, within: string): boolean {
  return new RegExp(String.raw`(?<![\w.])${RegExp.escape(text)}(?!\w)`).test(within);
}

/** A list without items, a text without a word: the judge could not do it either, so that it finds no answer right. */
function isNothing(value: Json): boolean {
  return value === "" || (isList(value) && value.length === 0);
}

function isSame(right: Json, answer: Json | undefined): boolean {
  if (typeof right === "number" && typeof answer === "number") return Math.abs(right - answer) <= ROUNDING;
  if (isList(right)) {
    return isList(answer) && answer.length === right.length && right.every((item, i) => isSame(item, answer[i]));
  }
  if (isJsonObject(right)) {
    return isJsonObject(answer) && Object.entries(right).every(([name, value]) => isSame(value, answer[name]));
  }
  return right === answer;
}
