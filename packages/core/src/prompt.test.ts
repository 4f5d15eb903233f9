import { expect, test } from "vitest";
import { badPlaceholders, inputPaths, renderPrompt } from "./prompt.ts";

const finding = { path: "/total", code: "sum_mismatch", message: "the total is 10, its parts make 12" };

test("text is inserted as it is and other values as JSON", () => {
  const prompt = { system: "Extract.", user: "{{input.text}} | {{ input.options }} | {{input}}" };
  const rendered = renderPrompt(prompt, { text: 'say "hi"', options: { a: 1 } }, []);
  expect(rendered.user).toBe('say "hi" | {"a":1} | {"text":"say \\"hi\\"","options":{"a":1}}');
});

test("a value that looks like a template or a replacement pattern is only text", () => {
  const rendered = renderPrompt({ system: "", user: "{{input.a}}" }, { a: "{{input.b}} $& $1", b: "secret" }, []);
  expect(rendered.user).toBe("{{input.b}} $& $1");
});

test("a missing value and inherited properties are nothing", () => {
  expect(renderPrompt({ system: "", user: "[{{input.none.deep}}][{{input.constructor}}]" }, { a: 1 }, []).user).toBe(
    "[][]",
  );
});

test("findings of the previous verdict reach the next prompt", () => {
  const { user } = renderPrompt({ system: "", user: "Do it." }, {}, [finding]);
  expect(user).toContain("Do it.\n\nA previous answer to this request was rejected.");
  expect(user).toContain("- /total [sum_mismatch]: the total is 10, its parts make 12");
});

test("placeholders that are not input paths are reported", () => {
  expect(badPlaceholders("{{input.a}} {{output}} {{input.a-b}}")).toEqual(["output", "input.a-b"]);
  expect(inputPaths("{{input}} {{input.a.b}}")).toEqual([[], ["a", "b"]]);
});
