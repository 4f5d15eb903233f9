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

/** A list without items: the judge could not do it either, so that it finds no answer right. */
function isNothing(value: Json): boolean {
  return isList(value) && value.length === 0;
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
