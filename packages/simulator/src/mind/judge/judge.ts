/**
 * Judging: an answer, the input that it was made from, and a rubric. The judge does the task itself and compares. What a
 * criterion means beyond the fields that it names is not understood.
 */
import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import { codeSolver } from "../code/code.ts";
import { extractionSolver } from "../extraction/extraction.ts";
import { anySolver } from "../any/any.ts";
import { sqlSolver } from "../sql/sql.ts";
import type { Solution, Solver, Spoil, Task } from "../task.ts";
import { type Ballot, ballotIn } from "./ballot.ts";
import { differences, emptyFields, slips } from "./compare.ts";

/** Judging is easier than doing, and easier where the task is. */
const BASE = 0.05;
const SHARE_OF_TASK = 0.2;

/** Solvers whose answer is the answer. What the last one makes of a task is no measure for others. */
const EXACT: readonly Solver[] = [extractionSolver, codeSolver, sqlSolver];

export const judgeSolver: Solver = {
  name: "judge",
  solve(task: Task): Solution | null {
    const ballot = ballotIn(task);
    if (ballot === null) return null;
    const { wrong, difficulty } = faultsOf(ballot);
    return {
      answer: replyTo(ballot, wrong),
      difficulty: BASE + SHARE_OF_TASK * difficulty,
      spoils: SPOILS,
    };
  },
};

/** The fields that are wrong in the answer. */
function faultsOf({ answer, input, schema }: Ballot): {
  readonly wrong: readonly string[];
  readonly difficulty: number;
} {
  const empty = emptyFields(answer, schema);
  if (input === undefined) return { wrong: empty, difficulty: 0 };
  const task: Task = { system: "", request: requestFrom(input), schema, findings: [] };
  for (const solver of EXACT) {
    const solution = solver.solve(task);
    if (solution !== null) return { wrong: differences(solution.answer, answer), difficulty: solution.difficulty };
  }
  const { difficulty, answer: own } = anySolver.solve(task) ?? { difficulty: 0, answer: null };
  const wrong = [...empty, ...differences(namesIn(own, schema), answer), ...slips(answer, JSON.stringify(input))];
  return { wrong: [...new Set(wrong)], difficulty };
}

/** The task as its prompt would put it: short texts behind their names, longer ones and lists between tags. */
function requestFrom(input: Json): string {
  if (!isJsonObject(input)) return typeof input === "string" ? input : JSON.stringify(input);
  return Object.entries(input)
    .map(([name, value]) => {
      if (typeof value === "string" && !value.includes("\n")) return `${name}: ${value}`;
      return `<${name}>\n${typeof value === "string" ? value : JSON.stringify(value)}\n</${name}>`;
    })
    .join("\n");
}

/** Of an answer of the last solver what can only be put in one way: one of several names. */
function namesIn(own: Json, schema: JsonObject): Json {
  const properties = schema["properties"];
  if (!isJsonObject(own) || !isJsonObject(properties)) return {};
  return Object.fromEntries(
    Object.entries(own).filter(([name]) => {
      const field = properties[name];
      return isJsonObject(field) && Array.isArray(field["enum"]);
    }),
  );
}

/** A criterion that names a field is about that field; where none names what is wrong, none is met. */
function replyTo({ criteria }: Ballot, wrong: readonly string[]): JsonObject {
  const names = (text: string): readonly string[] => wrong.filter((field) => mentions(text, field));
  const placed = criteria.some(({ text }) => names(text).length > 0);
  return Object.fromEntries(
    criteria.map(({ key, text }) => {
      const against = placed ? names(text) : wrong;
      const [first] = against;
      const reason =
        first === undefined ? "The answer agrees with the input." : `The input does not say this of ${spaced(first)}.`;
      return [key, { reason, met: first === undefined }];
    }),
  );
}

function mentions(text: string, field: string): boolean {
  const singular = spaced(field).replace(/s$/, "");
  return text.toLowerCase().includes(singular.toLowerCase());
}

function spaced(field: string): string {
  return field.replaceAll("_", " ");
}

/** The same reply with every criterion met, or none. */
function every(answer: Json, met: boolean, reason: string): JsonObject | null {
  if (!isJsonObject(answer)) return null;
  return Object.fromEntries(Object.keys(answer).map((key) => [key, { reason, met }]));
}

function isAllMet(answer: Json): boolean {
  return isJsonObject(answer) && Object.values(answer).every((one) => isJsonObject(one) && one["met"] === true);
}

const SPOILS: readonly Spoil[] = [
  {
    kind: "misjudged",
    natural: true,
    touches: [],
    apply: (answer) =>
      isAllMet(answer)
        ? every(answer, false, "I do not find this in the answer.")
        : every(answer, true, "The answer looks right."),
  },
  // A judge that passes everything, and one that passes nothing: only a script makes them.
  {
    kind: "gullible",
    natural: false,
    touches: [],
    apply: (answer) => every(answer, true, "The answer is convincing."),
  },
  { kind: "harsh", natural: false, touches: [], apply: (answer) => every(answer, false, "This is not good enough.") },
];
