/** Hazard: a file that a spreadsheet runs, that a program cannot read, or that does not add up. */
import { nanos, parseMoney, sum, ZERO } from "@contingent/core/money";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApiWithType, TYPE } from "../harness.ts";
import { agree, charged, closed, credited, moveTo, statementId, unbilled } from "../months.ts";

const HOSTILE = [
  "=1+1",
  "+1",
  "-1",
  "@SUM(A1)",
  "\t=1",
  "\r=1",
  'a "quoted", text',
  "two\r\nlines",
  "plain",
  "'quoted",
];

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
  await moveTo(api, 0);
  await agree(api, { discountShare: 0.333333, discountFixed: nanos(10_000_000n) });
  for (const key of HOSTILE) await charged(api, key);
  await unbilled(api);
  await credited(api, await charged(api), 10_000_000n);
});
afterAll(() => api[Symbol.asyncDispose]());

/** The records of a text by the rules of RFC 4180, and nothing more lenient. */
function recordsOf(text: string): readonly Readonly<Record<string, string>>[] {
  const records: string[][] = [];
  let rest = text;
  while (rest !== "") {
    const record: string[] = [];
    for (let end = ","; end === ",";) {
      const [whole, quoted, bare = "", separator = ""] = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/.exec(rest) ?? [];
      if (whole === undefined) throw new Error(`no field begins with: ${rest.slice(0, 40)}`);
      record.push(quoted?.replaceAll('""', '"') ?? bare);
      rest = rest.slice(whole.length);
      end = separator;
    }
    records.push(record);
  }
  const [head = [], ...rows] = records;
  for (const row of rows) expect(row).toHaveLength(head.length);
  return rows.map((row) => Object.fromEntries(row.map((field, n) => [head[n] ?? "", field])));
}

async function csv(): Promise<string> {
  const { status, body, headers } = await api.customer.send({ path: `/v1/statements/${statementId(api, 0)}/csv` });
  expect(status).toBe(200);
  expect(headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
  expect(headers.get("content-disposition")).toBe(`attachment; filename="${statementId(api, 0)}.csv"`);
  if (typeof body !== "string") throw new Error("the answer is no text");
  return body;
}

describe("200", () => {
  test("each line is a record, with the customer's own names as texts that no spreadsheet runs", async () => {
    const records = recordsOf(await csv());
    const keys = records.filter(({ line }) => line === "job").map((record) => record["outcome_key"]);
    const neutral = ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t'=1", "'\r'=1", ...HOSTILE.slice(6)];
    expect(keys).toEqual([...neutral, "", ""]);
    expect(records[0]).toMatchObject({
      statement: statementId(api, 0),
      outcome_type: TYPE,
      resolution: "success",
      reason: "verified",
      paid_from: "on_account",
      charged: "0.04",
      discount: "0.01333332",
      amount: "0.02666668",
    });
    expect(records.find(({ resolution }) => resolution === "failure")).toMatchObject({
      reason: "canceled",
      paid_from: "",
      amount: "0.00",
    });
  });

  test("the amounts add up to what is due, open or closed", async () => {
    const due = async (): Promise<readonly [bigint, string]> => {
      const { body } = await api.customer.send({ path: `/v1/statements/${statementId(api, 0)}` });
      const { amount_due: amountDue } = body as { readonly amount_due: { readonly amount: string } };
      const text = await csv();
      return [parseMoney(amountDue.amount) ?? ZERO, text];
    };
    const added = (text: string): bigint =>
      sum(
        recordsOf(text).flatMap(({ paid_from: from, amount = "" }) =>
          from === "on_account" ? [parseMoney(amount) ?? ZERO] : [],
        ),
      );
    const [openDue, open] = await due();
    expect(added(open)).toBe(openDue);
    await closed(api, 0);
    const [closedDue, text] = await due();
    expect(added(text)).toBe(closedDue);
    expect(closedDue).toBeGreaterThan(0n);
    expect(text).toBe(open);
    expect(recordsOf(text).map(({ line }) => line)).toEqual(
      expect.arrayContaining(["credit", "fixed_discount", "rounding"]),
    );
  });
});

test("404: another customer's", async () => {
  expectError(
    await api.otherCustomer.send({ path: `/v1/statements/${statementId(api, 0)}/csv` }),
    "statement_not_found",
  );
});
