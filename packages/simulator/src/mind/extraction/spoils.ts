/** The mistakes that readers of documents make. Each works on a finished answer and needs nothing but it. */
import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import { isList } from "../../json.ts";
import type { Spoil } from "../task.ts";
import { FIELD_NAMES, LINE_NAMES, nameOf } from "./answer.ts";
import type { Extracted } from "./extract.ts";
import { rounded } from "./numbers.ts";

/** What can go wrong with this document. `raw` is its text. */
export function extractionSpoils(raw: string): readonly Spoil[] {
  return [
    spoil("missing_line", ["lineItems", "subtotal"], (answer, luck) => {
      const lines = linesOf(answer);
      if (lines.length < 2) return null;
      const gone = Math.floor(luck("line") * lines.length);
      return withField(
        answer,
        "lineItems",
        lines.filter((_, i) => i !== gone),
      );
    }),
    spoil("wrong_total", ["total"], (answer) => withNumber(answer, "total", transposed)),
    spoil("wrong_amount", ["lineItems"], (answer, luck) => {
      const lines = linesOf(answer);
      const at = Math.floor(luck("line") * lines.length);
      const line = lines[at];
      const name = LINE_NAMES.amount.find((n) => isJsonObject(line) && Object.hasOwn(line, n));
      if (!isJsonObject(line) || name === undefined) return null;
      const value = line[name];
      const wrong = typeof value === "number" ? transposed(value) : null;
      return wrong === null ? null : withField(answer, "lineItems", lines.with(at, { ...line, [name]: wrong }));
    }),
    spoil("thousands", ["total"], (answer) =>
      // `2.604,32` read as 2.60432: the mark between thousands taken for the decimal mark.
      withNumber(answer, "total", (value) => (value >= 1000 ? rounded(value / 1000, 5) : null)),
    ),
    spoil("date_format", ["issueDate"], (answer) => {
      const name = nameOf("issueDate", answer);
      const value = name === null ? null : answer[name];
      const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(typeof value === "string" ? value : "") ?? [];
      return year === undefined ? null : withField(answer, "issueDate", `${day ?? ""}/${month ?? ""}/${year}`);
    }),
    spoil("missing_field", ["number", "buyer", "seller", "currency", "issueDate"], (answer, luck) => {
      const fields = (["number", "buyer", "seller", "currency", "issueDate"] as const).filter((f) => isText(answer, f));
      const gone = fields[Math.floor(luck("field") * fields.length)];
      return gone === undefined ? null : withField(answer, gone, null);
    }),
    spoil("paraphrased_party", ["seller", "buyer"], (answer, luck) => {
      const field = luck("party") < 0.5 ? "seller" : "buyer";
      const name = nameOf(field, answer);
      const value = name === null ? null : answer[name];
      if (typeof value !== "string" || value === "") return null;
      return withField(answer, field, `${value.split(/[ ,]/)[0] ?? value} Group Holdings`);
    }),
    spoil("invented_total", ["total"], (answer, luck) => {
      const name = nameOf("total", answer);
      if (name === null || answer[name] !== null) return null;
      const invented = rounded(100 + luck("total") * 900);
      return raw.includes(String(invented)) ? null : { ...answer, [name]: invented };
    }),
    spoil("misquoted", ["evidence"], (answer) => {
      const name = nameOf("evidence", answer);
      const value = name === null ? null : answer[name];
      return typeof value === "string" ? withField(answer, "evidence", `${value} or so`) : null;
    }),
    // The sample outcome type's checks cannot see this one, so no model makes it unasked: it would be billed.
    { ...spoil("swapped_parties", ["seller", "buyer"], swapParties), natural: false },
    { ...spoil("fenced", [], (answer) => ({ text: `\`\`\`json\n${JSON.stringify(answer)}\n\`\`\`` })), natural: false },
  ];
}

type Apply = (answer: JsonObject, luck: (purpose: string) => number) => JsonObject | { readonly text: string } | null;

function spoil(kind: string, fields: readonly (keyof Extracted)[], apply: Apply): Spoil {
  return {
    kind,
    natural: true,
    touches: fields.flatMap((field) => FIELD_NAMES[field]),
    apply: (answer, luck) => (isJsonObject(answer) ? apply(answer, luck) : null),
  };
}

function swapParties(answer: JsonObject): JsonObject | null {
  const seller = nameOf("seller", answer);
  const buyer = nameOf("buyer", answer);
  if (seller === null || buyer === null || answer[seller] === answer[buyer]) return null;
  return { ...answer, [seller]: answer[buyer] ?? null, [buyer]: answer[seller] ?? null };
}

function linesOf(answer: JsonObject): readonly Json[] {
  const name = nameOf("lineItems", answer);
  const lines = name === null ? undefined : answer[name];
  return isList(lines) ? lines : [];
}

function withField(answer: JsonObject, field: keyof Extracted, value: Json): JsonObject | null {
  const name = nameOf(field, answer);
  return name === null ? null : { ...answer, [name]: value };
}

function withNumber(
  answer: JsonObject,
  field: keyof Extracted,
  change: (value: number) => number | null,
): JsonObject | null {
  const name = nameOf(field, answer);
  const value = name === null ? undefined : answer[name];
  const changed = typeof value === "number" ? change(value) : null;
  return changed === null ? null : withField(answer, field, changed);
}

function isText(answer: JsonObject, field: keyof Extracted): boolean {
  const name = nameOf(field, answer);
  return name !== null && typeof answer[name] === "string" && answer[name] !== "";
}

/** The number with its first two different neighbouring digits exchanged: the commonest slip in copying. */
function transposed(value: number): number | null {
  const digits = String(value).split("");
  for (let i = 0; i < digits.length - 1; i++) {
    const [a, b] = [digits[i], digits[i + 1]];
    if (a === undefined || b === undefined || a === b || !/\d/.test(a) || !/\d/.test(b)) continue;
    return Number(
      digits
        .with(i, b)
        .with(i + 1, a)
        .join(""),
    );
  }
  return value === 0 ? null : rounded(value + 10);
}
