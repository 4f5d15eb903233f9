/** The books as a text that can be read, compared and checked in: ids replaced by names, times by days. */
import { formatMoney, nanos } from "@contingent/core/money";
import type { Pool } from "@contingent/db/pool";

interface PostingRow {
  readonly id: string;
  readonly kind: string;
  readonly key: string;
  readonly day: string;
  readonly account_class: string;
  readonly account_of: string;
  readonly amount: bigint;
}

/** Costs are the operator's: they are dated by the real clock, not by a customer's. */
const POSTINGS = `
  SELECT t.id, t.kind, t.key, p.account_class, p.account_of, p.amount_nanos AS amount,
         CASE WHEN t.customer_id IS NULL THEN 'today' ELSE to_char(t.dated_at AT TIME ZONE 'UTC', 'Mon DD') END AS day
    FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id ORDER BY t.id, p.seq`;

const BALANCES = `
  SELECT account_class, account_of, sum(amount_nanos)::bigint AS amount FROM posting
   GROUP BY 1, 2 ORDER BY min(transaction_id), min(seq)`;

const AMOUNT_WIDTH = 12;
const ACCOUNT_WIDTH = 58;

/** Every transaction in the order in which it was booked: debits in the first column, credits in the second. */
export async function journalOf(pool: Pool, named: (text: string) => string): Promise<string> {
  const { rows } = await pool.query<PostingRow>(POSTINGS);
  const lines: string[] = [];
  let last = "";
  for (const row of rows) {
    if (row.id !== last) lines.push("", `${row.day.padEnd(7)} ${named(row.key)}`);
    last = row.id;
    lines.push(lineOf(row, named));
  }
  return lines.slice(1).join("\n");
}

/** Each account's balance, accounts in the order of their first posting; and that all of it is nothing. */
export async function trialBalanceOf(pool: Pool, named: (text: string) => string): Promise<string> {
  const { rows } = await pool.query<Omit<PostingRow, "id" | "kind" | "key" | "day">>(BALANCES);
  const open = rows.filter(({ amount }) => amount !== 0n);
  const settled = rows.filter(({ amount }) => amount === 0n).map((row) => accountOf(row, named));
  const side = (sign: 1n | -1n): bigint =>
    open.reduce((total, { amount }) => (amount * sign > 0n ? total + amount * sign : total), 0n);
  const totals = `${" ".repeat(ACCOUNT_WIDTH)}${amountOf(side(1n))}${amountOf(side(-1n))}`;
  return [...open.map((row) => lineOf(row, named)), totals, "", "Nothing is left on:", ...settled].join("\n");
}

type Account = Pick<PostingRow, "account_class" | "account_of">;

function accountOf({ account_class: accountClass, account_of: of }: Account, named: (text: string) => string): string {
  return `        ${accountClass} ${named(of)}`.trimEnd();
}

function lineOf(row: Account & { readonly amount: bigint }, named: (text: string) => string): string {
  const { amount } = row;
  const account = accountOf(row, named).padEnd(ACCOUNT_WIDTH);
  return amount > 0n ? `${account}${amountOf(amount)}` : `${account}${" ".repeat(AMOUNT_WIDTH)}${amountOf(-amount)}`;
}

function amountOf(amount: bigint): string {
  return formatMoney(nanos(amount)).padStart(AMOUNT_WIDTH);
}
