/** The mistakes that programmers make in a hurry. */
import { isJsonObject, type JsonObject } from "@contingent/core/json";
import { isList } from "../../json.ts";
import type { Spoil } from "../task.ts";

export const codeSpoils: readonly Spoil[] = [
  inCode("syntax_error", (code, luck) => {
    const broken = [
      // The last bracket is forgotten, an opening one is doubled, a word is split in two.
      code.replace(/\}\s*$/, ""),
      code.replace("(", "(("),
      code.replace(/\bconst (\w+) = /, "const $1 new = "),
    ].filter((text) => text !== code);
    return broken[Math.floor(luck("syntax") * broken.length)] ?? null;
  }),
  inCode("wrong_name", (code) => code.replace(/function (\w+)/, "function $1Impl")),
  inCases("one_test_case", (cases) => (cases.length < 2 ? null : cases.slice(0, 1))),
  inCases("duplicate_case", (cases) => {
    const [first] = cases;
    return first === undefined ? null : [first, first];
  }),
  inCases("no_test_cases", (cases) => (cases.length === 0 ? null : [])),
  inCases("wrong_expected", (cases) =>
    cases.map((c, i) => (i === 0 && isJsonObject(c) ? { ...c, expected: "null" } : c)),
  ),
];

function inCode(kind: string, change: (code: string, luck: (purpose: string) => number) => string | null): Spoil {
  return {
    kind,
    natural: true,
    touches: ["code"],
    apply: (answer, luck) => {
      if (!isJsonObject(answer) || typeof answer["code"] !== "string") return null;
      const changed = change(answer["code"], luck);
      return changed === null || changed === answer["code"] ? null : { ...answer, code: changed };
    },
  };
}

type Cases = Extract<JsonObject[string], readonly unknown[]>;

function inCases(kind: string, change: (cases: Cases) => Cases | null): Spoil {
  return {
    kind,
    natural: true,
    touches: ["test_cases", "tests", "cases"],
    apply: (answer) => {
      if (!isJsonObject(answer)) return null;
      const name = ["test_cases", "tests", "cases"].find((n) => isList(answer[n]));
      const cases = name === undefined ? undefined : answer[name];
      const changed = isList(cases) ? change(cases) : null;
      return changed === null || name === undefined ? null : { ...answer, [name]: changed };
    },
  };
}
