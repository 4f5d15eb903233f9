import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import { renderFeedback } from "@contingent/core/verdict";
import { describe, expect, test } from "vitest";
import { parseJson } from "../json.ts";
import { findModel, type SimulatedModel } from "../models.ts";
import { codeSpoils } from "./code/spoils.ts";
import { extractionSpoils } from "./extraction/spoils.ts";
import { think, type Wish } from "./mind.ts";
import { sqlSpoils } from "./sql/sql.ts";
import { readTask } from "./task.ts";

const SCHEMA: JsonObject = objectOf({
  number: { type: ["string", "null"] },
  issue_date: { type: ["string", "null"] },
  currency: { type: ["string", "null"] },
  seller: { type: ["string", "null"] },
  buyer: { type: ["string", "null"] },
  line_items: {
    type: "array",
    items: objectOf({ description: { type: "string" }, quantity: { type: "number" }, amount: { type: "number" } }),
  },
  subtotal: { type: ["number", "null"] },
  total: { type: ["number", "null"] },
  evidence: { type: ["string", "null"] },
});

const CODE_SCHEMA: JsonObject = objectOf({
  code: { type: "string" },
  test_cases: { type: "array", items: objectOf({ input: { type: "string" }, expected: { type: "string" } }) },
  explanation: { type: "string" },
});

const SQL_SCHEMA: JsonObject = objectOf({ sql: { type: "string" }, explanation: { type: "string" } });

const document = (quantity: number): string =>
  `Pinewood Ltd\nInvoice no: P-77\nInvoice date: 2026-02-03\nBill to: Otter Bay Inc\n\n` +
  `Lantern, brass     ${quantity}     7.50     ${(quantity * 7.5).toFixed(2)}\nWick, pack     2     1.25     2.50\n` +
  `\nTotal GBP     ${(quantity * 7.5 + 2.5).toFixed(2)}`;

const FUNCTION = [
  "Signature: shout(text: string, mark: string): string",
  "<description>",
  "1. Trim the text.",
  "2. Convert it to upper case.",
  "3. Add `mark` at the end.",
  "</description>",
  '<examples>[{"input": [" hi ", "!"], "expected": "HI!"}]</examples>',
].join("\n");

describe("an answer", () => {
  test("is computed from the document: other figures, other answer", () => {
    expect(answer(document(3), SCHEMA, "right")).toMatchObject({
      total: 25,
      evidence: "Total GBP     25.00",
      line_items: [{ quantity: 3, amount: 22.5 }, {}],
    });
    expect(answer(document(41), SCHEMA, "right")).toMatchObject({
      total: 310,
      line_items: [{ quantity: 41, amount: 307.5 }, {}],
    });
  });

  test("is composed from the described steps: other steps, other code and cases", () => {
    const right = answer(FUNCTION, CODE_SCHEMA, "right");
    expect(right["code"]).toContain("export function shout(text: string, mark: string): string {");
    expect(right["code"]).toContain("trimmed.toUpperCase()");
    expect(right["test_cases"]).toContainEqual({ input: '[" hi ","!"]', expected: '"HI!"' });
    // Worked out by running the steps, not given as an example.
    expect(right["test_cases"]).toContainEqual({ input: '["","!"]', expected: '"!"' });
    const other = answer(FUNCTION.replace("upper case", "lower case"), CODE_SCHEMA, "right");
    expect(other["code"]).toContain("trimmed.toLowerCase()");
  });

  test("to a function with a step that nobody understands is plainly incomplete", () => {
    const right = answer(FUNCTION.replace("Trim the text", "Do what we always do"), CODE_SCHEMA, "right");
    expect(right["test_cases"]).toEqual([]);
    expect(right["explanation"]).toContain("not complete");
  });
});

test("a schema that is written out in the system prompt is kept to as well", () => {
  const system = `You read documents.\n\nAnswer with one JSON value. It must conform to this JSON Schema:\n${JSON.stringify(SCHEMA)}`;
  const { text } = think(readTask(system, document(3), null), model("claude-opus-5-5"), "seed", "right");
  expect(parseJson(text)).toEqual(answer(document(3), SCHEMA, "right"));
});

describe("a question about tables", () => {
  const tables = [
    { name: "orders", columns: ["id", "status", "country", "amount", "created_at"] },
    { name: "customers", columns: ["id", "name"] },
  ];
  const ask = (question: string): string =>
    `<tables>\n${JSON.stringify(tables)}\n</tables>\n<question>${question}</question>`;

  test.each([
    ["How many orders are there with status paid?", "SELECT count(*) AS count\nFROM orders\nWHERE status = 'paid'"],
    [
      "What is the total amount of the orders since 2026-10-01 and whose amount is above 20 per country?",
      "SELECT country, sum(amount) AS total_amount\nFROM orders\nWHERE created_at >= '2026-10-01' AND amount > 20\nGROUP BY country\nORDER BY country",
    ],
    [
      "List the id and amount of the orders, the largest amount first, at most 10.",
      "SELECT id, amount\nFROM orders\nORDER BY amount DESC\nLIMIT 10",
    ],
    ["How many orders had we when Martin was here?", ""],
    ["What is the average weight of the orders?", ""],
  ])("is answered from its words and the tables: %s", (question, sql) => {
    expect(answer(ask(question), SQL_SCHEMA, "right")["sql"]).toBe(sql);
  });

  test.each(sqlSpoils.map(({ kind }) => kind))("can be answered wrongly: %s", (kind) => {
    const request = ask("How many orders are there with status paid?");
    expect(textOf(request, SQL_SCHEMA, { wrong: kind })).not.toEqual(textOf(request, SQL_SCHEMA, "right"));
  });
});

describe("a mistake", () => {
  const kindsOf = (spoils: readonly { kind: string }[]): string[] => spoils.map(({ kind }) => kind);
  const inDocuments = kindsOf(extractionSpoils("")).filter((kind) => kind !== "invented_total");

  test.each(inDocuments)("in a document can be asked for: %s", (kind) => {
    const text = document(200);
    expect(textOf(text, SCHEMA, { wrong: kind })).not.toEqual(textOf(text, SCHEMA, "right"));
  });

  test.each(kindsOf(codeSpoils))("in code can be asked for: %s", (kind) => {
    expect(textOf(FUNCTION, CODE_SCHEMA, { wrong: kind })).not.toEqual(textOf(FUNCTION, CODE_SCHEMA, "right"));
  });

  test("is not made again once a finding has named its field", () => {
    const findings = [{ path: "/issue_date", code: "not_date", message: "This is not a date." }];
    for (let quantity = 1; quantity < 60; quantity++) {
      const text = `${document(quantity)}\n\n${renderFeedback(findings)}`;
      const made = think(readTask("", text, SCHEMA), model("claude-haiku-5-5"), "seed", { wrong: null });
      expect(made.mistakes).not.toContain("date_format");
    }
  });

  test("that no check of the samples would see is never made unasked", () => {
    for (let quantity = 1; quantity < 200; quantity++) {
      const made = think(readTask("", document(quantity), SCHEMA), model("claude-haiku-5-5"), "seed", "model");
      expect(made.mistakes).not.toContain("swapped_parties");
    }
  });
});

describe("findings", () => {
  test("are read back from the prompt as they were rendered, and leave the request as it was", () => {
    const findings = [
      { path: "", code: "not_json", message: "The answer is not JSON." },
      { path: "/line_items/0/amount", code: "product_mismatch", message: "It is 3, not 4.", hint: "Read it again." },
    ];
    const task = readTask("system", `Do this.\n\n${renderFeedback(findings)}`, null);
    expect(task.request).toBe("Do this.");
    expect(task.findings).toEqual([
      findings[0],
      { path: "/line_items/0/amount", code: "product_mismatch", message: "It is 3, not 4. Read it again." },
    ]);
  });
});

function objectOf(properties: JsonObject): JsonObject {
  return { type: "object", additionalProperties: false, required: Object.keys(properties), properties };
}

function model(id: string): SimulatedModel {
  const found = findModel(id);
  if (found === null) throw new Error(`There is no ${id}.`);
  return found;
}

function textOf(request: string, schema: JsonObject, wish: Wish): string {
  return think(readTask("", request, schema), model("claude-opus-5-5"), "seed", wish).text;
}

function answer(request: string, schema: JsonObject, wish: Wish): JsonObject {
  const parsed: Json | undefined = parseJson(textOf(request, schema, wish));
  if (!isJsonObject(parsed)) throw new Error("The answer is no object.");
  return parsed;
}
