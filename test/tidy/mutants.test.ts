/** What is broken on purpose by hand-started scripts still stands where they look for it: else they go stale unnoticed. */
import fs from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { GUARDS } from "../fault/guards.ts";
import { MUTANTS } from "../property/books/mutant-list.ts";
import { ROOT } from "./source.ts";

it.each([...GUARDS, ...MUTANTS])("the text that breaks this stands once in its file: $name", ({ file, from, to }) => {
  expect(fs.readFileSync(path.join(ROOT, file), "utf8").split(from)).toHaveLength(2);
  expect(to).not.toBe(from);
});
