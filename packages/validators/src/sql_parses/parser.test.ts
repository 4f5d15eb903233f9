import { expect, test } from "vitest";
import { parseSql } from "./parser.ts";
import { contentOf } from "./statements.ts";

const tree = { kind: "tree" };

test("what is beyond the parser's stack leaves nothing behind for later texts", async () => {
  const sums = `SELECT 1${"+1".repeat(30_000)}`;
  const unions = `SELECT 1${" UNION SELECT 1".repeat(30_000)}`;
  const before = await parseSql("SELECT 1 FROM a WHERE b = 'x'");
  expect(before).toMatchObject(tree);
  // A parser that is kept after such texts gives wrong trees from about the tenth on.
  for (let i = 0; i < 12; i++)
    for (const text of [sums, unions]) expect(await parseSql(text)).toEqual({ kind: "too_deep" });
  expect(await parseSql("SELECT 1 FROM a WHERE b = 'x'")).toEqual(before);
});

test("twice as deep as is allowed is still within the parser's stack: the bound does not depend on the machine", async () => {
  for (const text of [
    `SELECT 1${"+1".repeat(2_000)}`,
    `SELECT a${" COLLATE x".repeat(2_000)}`,
    `SELECT a${" ISNULL".repeat(2_000)}`,
    `SELECT ${"- ".repeat(2_000)}a`,
    `SELECT ${"(SELECT ".repeat(500)}1${")".repeat(500)}`,
    `SELECT 1${" UNION SELECT 1".repeat(4_000)}`,
  ]) {
    const parsed = await parseSql(text);
    expect(parsed).toMatchObject(tree);
    expect(parsed.kind === "tree" && contentOf(parsed.tree)).toBe(null);
  }
});

test("a thousand operators in a row are allowed, and any number of conditions and rows", async () => {
  for (const text of [
    `SELECT 1${"+1".repeat(950)}`,
    `SELECT 1 WHERE a${" AND a".repeat(5_000)}`,
    `INSERT INTO a VALUES ${"(1, 'x', -2.5, now()),".repeat(2_500)} (1)`,
  ]) {
    const parsed = await parseSql(text);
    expect(parsed.kind === "tree" && contentOf(parsed.tree)?.statements).toBe(1);
  }
});

test("a place is given in lines and UTF-16 code units, as everywhere", async () => {
  expect(await parseSql("SELECT 'é€😀',\n 'é€😀' +) FROM a")).toEqual({
    kind: "error",
    message: 'syntax error at or near ")"',
    line: 2,
    column: 10,
  });
});
