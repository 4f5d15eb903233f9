/** An answer of realistic size for each check: it passes, so that the check has all of its work to do. */
import type { Json, JsonSchema } from "@contingent/core/json";
import { codeIn } from "./code.ts";

export interface Payload {
  readonly validator: string;
  /** What it is, for the table. */
  readonly what: string;
  readonly options: Json;
  readonly input: Json;
  readonly output: Json;
  readonly outputSchema: JsonSchema;
}

const LINES = 550;
const CLAIMS = 40;
const CODE_CHARACTERS = [10_000, 100_000] as const;

function lineOf(index: number) {
  const cents = 100 + ((index * 7_919) % 9_000);
  const quantity = 1 + (index % 40);
  return {
    position: index + 1,
    sku: `SKU-${String(10_000 + index)}`,
    description: `Hexagon bolt M${4 + (index % 20)} x ${10 + (index % 90)}, zinc plated, box ${index + 1}`,
    delivered: `2026-${String(1 + (index % 12)).padStart(2, "0")}-${String(1 + (index % 28)).padStart(2, "0")}`,
    quantity,
    unit_price: cents / 100,
    amount: (cents * quantity) / 100,
    currency: "EUR",
    contact: `orders${index % 50}@example.com`,
  };
}

const lines = Array.from({ length: LINES }, (_, index) => lineOf(index));
const cents = lines.reduce((sum, { amount }) => sum + Math.round(amount * 100), 0);
/** 100 kB of JSON. */
const invoice = { number: "RE-2026/0117", seller: "Ada Lovelace Ltd.", total: cents / 100, line_items: lines };
/** What it was read from: 43 kB of text. */
const text = [
  `INVOICE No. ${invoice.number}`,
  invoice.seller,
  ...lines.map((each) => `${each.sku}  ${each.description}  ${each.delivered}  ${each.quantity}  ${each.amount}`),
  `Total EUR ${invoice.total}`,
].join("\n");

const sentence = (index: number): string =>
  `Clause ${index + 1}: the supplier shall deliver lot ${index * 37} within ${index + 10} days of the order`;
/** 100 kB of a contract, and an answer that quotes from all over it. */
const contract = Array.from({ length: 1_100 }, (_, index) => `${sentence(index)}.`).join("\n");
const claims = Array.from({ length: CLAIMS }, (_, index) => ({ quote: sentence(index * 27) }));

const someText = { type: "string", minLength: 1 };
const schema: JsonSchema = {
  type: "object",
  required: ["number", "seller", "total", "line_items"],
  additionalProperties: false,
  properties: {
    number: { type: "string", pattern: "^[A-Z]{2}-\\d{4}/\\d{4}$" },
    seller: someText,
    total: { type: "number", minimum: 0 },
    line_items: {
      type: "array",
      items: {
        type: "object",
        required: ["sku", "description", "quantity", "amount"],
        additionalProperties: false,
        properties: {
          position: { type: "integer" },
          sku: { type: "string", pattern: "^SKU-\\d{5}$" },
          description: someText,
          delivered: { type: "string", format: "date" },
          quantity: { type: "integer", minimum: 1 },
          unit_price: { type: "number" },
          amount: { type: "number" },
          currency: { enum: ["EUR", "USD"] },
          contact: { type: "string", format: "email" },
        },
      },
    },
  },
};

const JSON_TEXT = "100 kB of JSON";

function ofInvoice(validator: string, options: Json, input: Json = null): Payload {
  return { validator, what: JSON_TEXT, options, input, output: invoice, outputSchema: schema };
}

function other(validator: string, what: string, options: Json, output: Json, input: Json = null): Payload {
  return { validator, what, options, input, output, outputSchema: {} };
}

const each = "/line_items/*";
const tests = lines.map((item) => ({ input: item, expected: item.amount }));

export const payloads: readonly Payload[] = [
  ofInvoice("json_schema", {}),
  ofInvoice("fields_complete", { entities: "/line_items", required: ["sku", "description", "quantity", "amount"] }),
  ofInvoice("arithmetic", {
    sums: [
      { total: "/total", each: "/line_items", field: "amount" },
      { each: "/line_items", total_field: "amount", product: ["quantity", "unit_price"] },
    ],
    tolerance: 0.005,
  }),
  ofInvoice("format", { fields: [`${each}/delivered`], format: "date" }),
  ofInvoice("grounded", { fields: ["/number", "/seller", "/total", `${each}/sku`], source: "/text" }, { text }),
  ofInvoice("equals", { fields: [`${each}/currency`], expected: { value: "EUR" } }),
  ofInvoice("contains", { fields: [`${each}/description`], values: ["zinc plated"] }),
  ofInvoice("regex", { fields: [`${each}/sku`], pattern: "SKU-\\d{5}" }),
  ofInvoice("length", { fields: [`${each}/description`], unit: "words", min: 3, max: 20 }),
  ofInvoice("enum", { fields: [`${each}/currency`], values: ["EUR", "USD"] }),
  ofInvoice("numeric_range", { fields: [`${each}/amount`], above: 0 }),
  ofInvoice("json_diff", { expected: { input: "/gold" } }, { gold: invoice }),
  other("citations", "40 quotes from 100 kB", { quotes: ["/claims/*/quote"], source: "" }, { claims }, contract),
  other("classifier_label", "one label", { label: "/label", labels: ["billing", "shipping"] }, { label: "billing" }),
  other("test_cases", "550 cases, 110 kB", { cases: "/tests", min: 100 }, { tests }),
  ...(["typescript", "javascript", "python", "go", "rust", "java"] as const).flatMap((language) =>
    CODE_CHARACTERS.map((characters) => {
      const options = { language, code: "", declares: "" };
      const { code, declared } = codeIn(language, characters);
      return other("code_syntax", `${characters / 1_000} kB of ${language}`, options, code, declared);
    }),
  ),
  other(
    "code_tests",
    "20 cases of one function",
    {
      code: "/code",
      function: { name: "add" },
      hidden: { cases: Array.from({ length: 20 }, (_, n) => ({ args: [n, 1], expected: n + 1 })) },
    },
    { code: "export function add(a: number, b: number): number { return a + b }" },
  ),
  other("sql_parses", "a report of 1 kB", { sql: "", read_only: true }, codeIn("sql", 100).code),
  other("sql_parses", "a script of 100 kB", { sql: "", max_statements: 1_000 }, codeIn("sql", 100_000).code),
];
