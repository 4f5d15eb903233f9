/** What hostile models, operators and customers can send, made by the real checks in the real processes. */
import { readFileSync } from "node:fs";
import type { Json, JsonSchema } from "@contingent/core/json";
import { judgeAnswer } from "@contingent/validators/judge-answer";
import { checkNamed, validatorNames } from "@contingent/validators/registry";
import { type LeafResult, type RegisteredCheck, runHere, type Subject } from "@contingent/validators/validator";
import { afterAll, describe, expect, test, vi } from "vitest";
import { LIMITS } from "./bounds.ts";
import { isolation } from "./launch.ts";
import { Pool } from "./pool.ts";
import { runCheckBy } from "./sandbox.ts";

// The machine may be busy with other tests.
vi.setConfig({ testTimeout: 60_000 });

const limits = { ...LIMITS, cpuMs: 1_000, wallMs: 55_000 };
const pool = new Pool({ limits });
const run = runCheckBy((request) => pool.run(request));
afterAll(() => pool.close());
const { watched } = await isolation();

function named(name: string): RegisteredCheck {
  const check = checkNamed(name);
  if (check === null) throw new Error(`there is no check ${name}`);
  return check;
}

const schema = named("json_schema");
const codeTests = named("code_tests");
const small: Subject = { input: null, output: { a: 1 }, outputSchema: { type: "object", required: ["a"] } };

/** A check that ends without a verdict is written as its error. */
async function outcome(check: RegisteredCheck, subject: Subject, options: Json = {}): Promise<string> {
  try {
    const { score, findings } = await run(check, subject, options);
    return `${score} ${findings[0]?.code ?? ""}`.trim();
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : "";
  }
}

function code(body: string): [Subject, Json] {
  const output = `export function f(x: any): any { ${body} }`;
  const options = { code: "", function: { name: "f" }, hidden: { cases: [{ args: [1], expected: 1 }] } };
  return [{ input: null, output, outputSchema: {} }, options];
}

/** A third of a second for each operation, in none of which the interpreter looks up. */
const BIG = "for (let i = 0; i < 100; i++) (3n ** 200_000n).toString(); return 1";

// All of them: what is large is made there whatever its place is.
describe("the checks of the sandbox", () => {
  const cases = validatorNames().flatMap((name) => {
    const check = checkNamed(name);
    if (check === null) return [];
    return ["passing", "failing"]
      .flatMap((file) => {
        const folder = new URL(`../../validators/src/${name}/cases/`, import.meta.url);
        const all = JSON.parse(readFileSync(new URL(`${file}.json`, folder), "utf8")) as Record<string, Json>[];
        // The rest runs in the validators' own tests.
        return all.slice(0, 3);
      })
      .map((each) => ({ check, each }));
  });

  test("say there what they say here, to the letter", async () => {
    expect(cases.length).toBeGreaterThanOrEqual(4 * 6);
    await Promise.all(
      cases.map(async ({ check, each }) => {
        const { input = null, output = null, options = {} } = each;
        const subject: Subject = { input, output, outputSchema: (each["output_schema"] ?? {}) as JsonSchema };
        const there: LeafResult = await run(check, subject, options);
        expect([each["name"], there]).toEqual([each["name"], await runHere(check, subject, options)]);
      }),
    );
  });

  test("have the stack that ordinary recursion needs", async () => {
    const [subject, options] = code(
      "return (function sum(n: number): number { return n === 0 ? 1 : sum(n - 1) })(9_000)",
    );
    expect(await outcome(codeTests, subject, options)).toBe("1");
  });
});

describe("what no deadline inside of a process can end", () => {
  test.each([
    ["operations on huge numbers", BIG],
    ["an array that is no longer given memory", "const a = []; for (;;) a.push(new Array(1_000).fill(1))"],
  ])("%s", async (_, body) => {
    const [subject, options] = code(body);
    expect(await outcome(codeTests, subject, options)).toMatch(/^0 (?:limits_exceeded|hidden_case_fails)$/);
    expect(await outcome(schema, small)).toBe("1");
  });
});

describe("sizes", () => {
  test("50 MB of answer are a finding, before and behind the door", async () => {
    const text = JSON.stringify("x".repeat(50_000_000));
    expect(await outcome(schema, { ...small, output: JSON.parse(text) as Json })).toBe("0 limits_exceeded");
    const price = { shape: "binary", price: 0n } as never;
    const version = {
      id: "otv_1",
      validator: { use: "json_schema", options: {} },
      outputSchema: {},
      terms: { successAt: 1, partialAt: null, price },
    };
    const verdict = await judgeAnswer({ version, step: 0, input: null, text } as never, run);
    expect(verdict).toMatchObject({ verdict: { decision: "fail", findings: [{ code: "output_too_large" }] } });
  });

  test("10,000 levels are a finding or no verdict, before and behind the door", async () => {
    let output: Json = 1;
    for (let level = 0; level < 10_000; level++) output = [output];
    expect(await outcome(schema, { ...small, output, outputSchema: { type: "array" } })).toMatch(
      /^(?:0 limits_exceeded|1)$/,
    );
  });

  test("bytes that are no text are no verdict", async () => {
    expect(await pool.run(Buffer.from([0x22, 0xff, 0xc3, 0x28, 0x00]))).toMatchObject({ kind: "broke" });
    const rubbish: Subject = { ...small, output: { a: "\ud800\u0000\uffff" } };
    expect(await outcome(schema, rubbish)).toBe("1");
  });
});

describe("schemas and patterns", () => {
  const chain = (levels: number): JsonSchema => {
    const $defs: Record<string, JsonSchema> = { d0: { type: "string" } };
    for (let level = 1; level <= levels; level++) {
      const below = { $ref: `#/$defs/d${level - 1}` };
      $defs[`d${level}`] = { properties: { a: below, b: below } };
    }
    return { $defs, $ref: `#/$defs/d${levels}` };
  };

  test.each<[string, JsonSchema]>([
    ["references that double at each level", chain(25)],
    ["references that recurse", { $defs: { t: { items: { $ref: "#/$defs/t" } } }, $ref: "#/$defs/t" }],
    ["repetitions of repetitions", { properties: { a: { pattern: "((a{0,100}){0,100}){0,100}$" } } }],
    [
      "names that are code",
      { properties: { "'];process.exit();//": { const: "${process.exit()}" } }, required: ["'];process.exit();//"] },
    ],
    [
      "a name of the language's own",
      { properties: { __proto__: { type: "string" } }, required: ["__proto__", "constructor"] },
    ],
  ])("%s end at once", async (_, outputSchema) => {
    const startMs = performance.now();
    expect(await outcome(schema, { ...small, outputSchema })).toMatch(
      /^(?:1|0 schema_required|0 limits_exceeded|ValidatorError: the schema .*)$/,
    );
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });

  test("a pattern that would backtrack is as fast as any other", async () => {
    const outputSchema = { properties: { a: { pattern: "^(a|a)*$" } } };
    expect(await outcome(schema, { ...small, output: { a: `${"a".repeat(50_000)}!` }, outputSchema })).toBe(
      "0 schema_pattern",
    );
  });
});

describe("parsers of native code", () => {
  test.each<[string, string, Json]>([
    ["code_syntax", `const a = ${"[".repeat(16_000)}`, { language: "typescript", code: "" }],
    [
      "code_tests",
      `const a = ${"(".repeat(8_000)}1${")".repeat(8_000)}`,
      { code: "", function: { name: "f" }, own: { cases: "/x" } },
    ],
  ])("%s: code that nests without end is a finding", async (name, output, options) => {
    expect(await outcome(named(name), { ...small, output }, options)).toMatch(
      /^0 (?:syntax_error|code_too_deep|code_too_large)$/,
    );
  });
});

test.runIf(watched)("whoever comes while others are stuck is not delayed", async () => {
  const pool = new Pool();
  const run = runCheckBy((request) => pool.run(request));
  const latencyMs = async (): Promise<number> => {
    const timesMs: number[] = [];
    for (let i = 0; i < 20; i++) {
      const startMs = performance.now();
      expect(await run(schema, small, {})).toMatchObject({ score: 1 });
      timesMs.push(performance.now() - startMs);
    }
    return timesMs.toSorted((a, b) => a - b)[10] ?? Infinity;
  };
  const aloneMs = await latencyMs();
  const [subject, options] = code(BIG);
  let ended = 0;
  for (let i = 0; i < 2; i++) void run(codeTests, subject, options).catch(() => (ended += 1));
  // The first of these may wait until it is noticed that both processes are stuck, and a third one is there.
  await run(schema, small, {});
  // Usually the same; two processors have three processes to run now.
  expect(await latencyMs()).toBeLessThan(20 * aloneMs + 100);
  expect(ended).toBe(0);
  await pool.close();
});
