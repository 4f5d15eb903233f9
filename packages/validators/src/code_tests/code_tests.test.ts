import type { Json } from "@contingent/core/json";
import { describe, expect, test } from "vitest";
import { checkNamed } from "../registry.ts";
import type { LeafResult } from "../validator.ts";

const SECRET = "the hidden argument";

/** Runs the body of a function against one hidden case, called with the secret. */
async function run(body: string, options: Json = {}, expected: Json = 1): Promise<LeafResult> {
  const validator = checkNamed("code_tests");
  const hidden = { cases: [{ args: [SECRET], expected }] };
  const all = { code: "", function: { name: "f" }, hidden, case_ms: 10, ...(options as object) };
  expect(validator?.problemsOf(all)).toEqual([]);
  const output = `export function f(x: any): any { ${body} }`;
  return (await validator?.run({ input: null, output, outputSchema: {} }, all)) ?? { score: -1, findings: [] };
}

async function says(body: string, options: Json = {}): Promise<string> {
  const { score, findings } = await run(body, options);
  return score === 1 ? "passes" : (findings[0]?.message ?? "").replace("Hidden case 1 of 1 ", "");
}

describe("code that would do harm ends as a failed case", () => {
  test.each([
    ["loops", "for (;;);", "takes too long."],
    ["loops that catch", "for (;;) try { for (;;); } catch {}", "takes too long."],
    ["loops in a getter of the result", "return { get x() { for (;;); } }", "takes too long."],
    ["loops in a trap of the result", "return new Proxy({}, { ownKeys() { for (;;); } })", "takes too long."],
    ["loops of promises", "(function g() { Promise.resolve().then(g) })()", "takes too long."],
    ["loops in generators", "for (const y of (function* () { for (;;) yield 1 })());", "takes too long."],
    ["patterns that backtrack", "return /^(a|a)*$/.test('a'.repeat(40) + 'b')", "takes too long."],
    ["thenables that never settle", "return { then() {} }", "waits for something that never comes."],
    ["thenables without end", "return { then(ok: any) { ok(this) } }", "takes too long."],
    ["a text that is too large", "return 'x'.repeat(1e9)", "needs too much memory."],
    ["a buffer that is too large", "return new Uint8Array(1e9).length", "needs too much memory."],
    ["many small things", "const a: any[] = []; for (;;) a.push([{}])", "needs too much memory."],
    ["recursion", "return f(x)", "throws RangeError."],
    ["a deep value", "let v: any = 1; for (let i = 0; i < 1000; i++) v = [v]; return v", "gives something that nests"],
    ["a wide value", "return Array(20000).fill(0)", "gives more than 10000 values"],
    ["toJSON", "return { toJSON() { return 1 } }", "gives a function, which is no JSON."],
  ])("%s", async (_, body, message) => {
    expect(await says(body, { case_ms: 1_000 })).toContain(message);
  });
});

describe("code reaches nothing", () => {
  test.each([
    "console",
    "process",
    "require",
    "fetch",
    "setTimeout",
    "WebAssembly",
    "Worker",
    "SharedArrayBuffer",
    "Atomics",
    "WeakRef",
    "Deno",
    "std",
    "os",
  ])("%s", async (name) => {
    expect(await says(`return typeof ${name} === "undefined" ? 1 : 0`)).toBe("passes");
  });

  test.each(["return import('fs')", "return import('data:text/javascript,1')", "return eval('import(\"fs\")')"])(
    "%s",
    async (body) => {
      expect(await says(body)).toBe("throws ReferenceError.");
    },
  );

  test("not even the interpreter's own outside, by any constructor", async () => {
    const outside = "return (async () => {}).constructor('return typeof globalThis.process + typeof module.require')()";
    expect(await says(`${outside}.then((t: string) => t === "undefinedundefined" ? 1 : t)`)).toBe("passes");
  });
});

describe("code cannot help itself", () => {
  test("by changing the language: it changes only what it returns itself", async () => {
    const body =
      "JSON.stringify = () => '1'; Promise.prototype.then = null; Array.prototype.toJSON = () => 1; Object.keys = () => []; return [x]";
    expect(await says(body)).toBe("gives another result than the one expected.");
    // And nothing is left for the next one.
    expect(await says("return JSON.stringify([1]) === '[1]' ? 1 : 0")).toBe("passes");
  });

  test("by what an earlier case has left", async () => {
    const cases = [1, 2].map(() => ({ args: [], expected: 1 }));
    const { score } = await run(
      "(globalThis as any).n = ((globalThis as any).n ?? 0) + 1; return (globalThis as any).n",
      {
        hidden: { cases },
      },
    );
    expect(score).toBe(1);
  });

  test("by writing a result that cannot be read: that would be no verdict, and count for nobody", async () => {
    const body =
      "let p = Promise.resolve(); for (let i = 0; i < 9; i++) p = p.then(() => {}); p.then(() => { (globalThis as any).__call__('outcome')[1] = '{' }); return 2";
    expect(await says(body)).toBe("gives another result than the one expected.");
  });

  test.each([
    "throw new Error(x)",
    "throw x",
    "throw { name: x, message: x }",
    "const e = new Error(x); e.name = x; throw e",
    "return x",
    "return { [x]: () => x }",
    "return Promise.reject(x)",
    "throw { get name() { throw x } }",
    "return import(x)",
    // Both would have our own words be the guest's: by writing into what the prelude keeps, and where it keeps it.
    "let p = Promise.resolve(); for (let i = 0; i < 9; i++) p = p.then(() => {}); p.then(() => { const o = (globalThis as any).__call__('outcome'); o[0] = 'no_json'; o[1] = x })",
    "Object.defineProperty(Object.prototype, 'what', { set() {}, get: () => x })",
  ])("by telling the next attempt what it was called with: %s", async (body) => {
    const { score, findings } = await run(body);
    expect(score).toBe(0);
    expect(JSON.stringify(findings)).not.toContain(SECRET);
  });
});

test("what is revealed is what the operator allows", async () => {
  expect(await says("return 2")).toBe("gives another result than the one expected.");
  const called = `Hidden case 1 of 1, called with ["${SECRET}"],`;
  expect(await says("return 2", { reveal: "input" })).toBe(`${called} gives 2, which is wrong.`);
  expect(await says("return 2", { reveal: "all" })).toBe(`${called} gives 2 instead of 1.`);
  expect(await says("throw new TypeError('no')", { reveal: "all" })).toBe(`${called} throws TypeError: no.`);
});

test("time and chance are the same each time, and summer is no other", async () => {
  const body =
    "return [Date.now(), new Date().toString(), new Date(2025, 6, 1).getTime(), Math.random(), Math.random()]";
  const seen = await run(body, { reveal: "input" });
  expect(seen).toEqual(await run(body, { reveal: "input" }));
  expect(seen.findings[0]?.message).toContain("[1735689600000");
});

test("all cases together have a bound, and the rest counts as failed", async () => {
  const cases = Array.from({ length: 40 }, (_, i) => ({ args: [i], expected: i }));
  const { score, findings } = await run("if (x > 0) for (;;); return x", { hidden: { cases }, case_ms: 400 });
  expect(score).toBe(1 / 40);
  expect(findings.map(({ code }) => code)).toEqual([
    ...Array.from({ length: 7 }, () => "hidden_case_fails"),
    "not_run",
  ]);
});

test.each<[string, Json, string]>([
  ["no cases at all", { code: "", function: { name: "f" } }, 'needs "hidden" or "own" cases to run'],
  [
    "a name that is no name",
    { code: "", function: { name: "f()" }, own: { cases: "" } },
    "must be the name of a function",
  ],
])("options with %s are refused", (_, options, message) => {
  expect(JSON.stringify(checkNamed("code_tests")?.problemsOf(options))).toContain(message.replaceAll('"', '\\"'));
});

test("an input that has no name or no cases is no fault of the answer", async () => {
  const validator = checkNamed("code_tests");
  const subject = { input: { name: "a b", cases: [{}] }, output: "1", outputSchema: {} };
  const hidden = { cases: [{ args: [], expected: 1 }] };
  const named = { code: "", function: { input: "/name" }, hidden };
  await expect(validator?.run(subject, named)).rejects.toThrow("no name of a function");
  const listed = { code: "", function: { name: "f" }, hidden: { input: "/cases" } };
  await expect(validator?.run(subject, listed)).rejects.toThrow("no list of 1 to 200 test cases");
});
