/** The real checks, in real processes: answers that are made to end the parser's process. */
import { checkNamed } from "@contingent/validators/registry";
import type { Subject } from "@contingent/validators/validator";
import { afterAll, expect, test } from "vitest";
import { LIMITS } from "./bounds.ts";
import { ownSandbox } from "./sandbox.ts";

const sandbox = ownSandbox({ processes: 1 });
afterAll(() => sandbox.close());

/** The score, or the code of the first finding. */
async function judged(name: string, options: object, text: string, by = sandbox): Promise<string | number> {
  const validator = checkNamed(name);
  if (validator === null) throw new Error(`no validator ${name}`);
  const subject: Subject = { input: null, output: { text }, outputSchema: {} };
  const { score, findings } = await by.run(validator, subject, options);
  return findings[0]?.code ?? score;
}

const typescript = { language: "typescript", code: "/text" };

test.each([
  ["tuples", "let a: ", "[", "A", "]"],
  ["lists", "let a = ", "[", "", "]"],
  ["brackets", "let a = ", "(", "1", ")"],
  ["objects", "let a = ", "{a:", "1", "}"],
  ["types of objects", "let a: ", "{a:", "A", "}"],
  ["templates", "let a = ", "`${", "1", "}`"],
  ["blocks", "let a; ", "{", "", "}"],
  ["functions", "", "function f(){", "", "}"],
  ["signs", "let a = ", "!", "1", ""],
  ["sums", "let a = ", "1+", "1", ""],
])("%s nested as deeply as code may be: judged, and the process lives", async (_, before, open, middle, close) => {
  // Each of them may open a level; a word does behind another word only.
  const marks = Array.from(open.matchAll(/[^\w\s]|\bfunction f/g)).length;
  const levels = Math.floor(Math.min(24_500 / marks, 131_000 / (open + close).length));
  const text = `${before}${open.repeat(levels)}${middle}${close.repeat(levels)}`;
  expect(await judged("code_syntax", typescript, text)).toBe(1);
  expect(await judged("code_syntax", typescript, `${before}${open.repeat(levels)}`)).toBe("syntax_error");
});

test("what takes the parser too long is a failed check", async () => {
  const quick = ownSandbox({ processes: 1, limits: { ...LIMITS, cpuMs: 500 } });
  const text = `let a = ${"a<(".repeat(8_000)}1${")".repeat(8_000)}`;
  expect(await judged("code_syntax", typescript, text, quick)).toBe("limits_exceeded");
  await quick.close();
});

test("SQL beyond the parser's stack is a failed check, and the next one is read by a new parser", async () => {
  expect(await judged("sql_parses", { sql: "/text" }, `SELECT 1${"+1".repeat(30_000)}`)).toBe("sql_too_deep");
  expect(await judged("sql_parses", { sql: "/text", read_only: true }, "SELECT 1 FROM a")).toBe(1);
});

test.each(["python", "go", "rust", "java"])("%s of any nesting is judged", async (language) => {
  const options = { language, code: "/text" };
  expect(await judged("code_syntax", options, "(".repeat(20_000))).toBe("syntax_error");
  expect(await judged("code_syntax", options, "{".repeat(20_000) + "}".repeat(20_000))).toMatch(/syntax|declares/);
});
