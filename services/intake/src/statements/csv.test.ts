/** Hazard: a spreadsheet that runs what a customer has named something, in whichever column that stands. */
import { nanos } from "@contingent/core/money";
import type { StatementLine } from "@contingent/core/statement/lines";
import type { StatementHead } from "@contingent/ledger/statement/row";
import { expect, test } from "vitest";
import { csvLines } from "./csv.ts";

const STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"];
const ATTACKS = STARTS.flatMap((start) => [
  `${start}cmd|' /C calc'!A0`,
  `${start}HYPERLINK("http://a","b")`,
  `${start}1+1`,
  start,
  // Where cells are separated by semicolons or tabs, quotes of ours hold nothing together.
  `a;${start}1+1`,
  `a\t${start}1+1`,
  `a\r\n${start}1+1;"b"`,
]);

const HEAD = { id: "stm_0001", currency: "USD" } as unknown as StatementHead;
const MONEY = nanos(-1_000_000n);
const LINE = {
  kind: "job",
  jobId: "job_0001",
  outcomeType: "type",
  outcomeTypeVersion: 1,
  outcomeKey: "key",
  closedAt: "2026-11-01T00:00:00.000Z",
  resolution: "success",
  reason: "verified",
  attempts: 1,
  charge: { billing: "on_account" },
  allowance: MONEY,
  bands: MONEY,
  discount: MONEY,
  net: MONEY,
};
const CREDIT = {
  ...LINE,
  kind: "credit",
  at: LINE.closedAt,
  creditNoteId: "crn_0001",
  billing: "on_account",
  amount: MONEY,
};

function fieldsOf(record: string): readonly string[] {
  return [...record.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g)].map(
    ([, quoted, bare]) => quoted?.replaceAll('""', '"') ?? bare ?? "",
  );
}

test.each([LINE, CREDIT])("no text of a line is run: $kind", (line) => {
  const texts = Object.entries(line).filter(([name, value]) => typeof value === "string" && name !== "kind");
  expect(texts.length).toBeGreaterThan(5);
  for (const [name] of texts) {
    for (const attack of ATTACKS) {
      const attacked = { ...line, [name]: attack } as unknown as StatementLine;
      const record = csvLines([attacked], HEAD).replace(/\r\n$/, "");
      // Amounts are ours, and may begin with a minus.
      const words = fieldsOf(record).filter((field) => !/^-?\d+\.\d+$/.test(field));
      expect(
        words.filter((field) => /^[\t\r\n]|(?:^|[;\t\r\n])[=+\-@＝＋－＠]/u.test(field)),
        `${name}: ${attack}`,
      ).toEqual([]);
    }
  }
});
