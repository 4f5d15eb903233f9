/** Books with everything in them, and a way to damage them. */
import { nanos, ZERO } from "@contingent/core/money";
import type { ValidationCost } from "@contingent/core/outcome-type";
import type { PriceTerms } from "@contingent/core/pricing/price";
import { type Pool, type Queryable, transaction } from "@contingent/db/pool";
import { issueCreditNote } from "@contingent/ledger/disputes/credit-note";
import { openDispute } from "@contingent/ledger/disputes/open-dispute";
import { earnDue } from "@contingent/ledger/earn";
import { statementToDamage } from "./damage-statements.ts";
import { customerWith } from "@contingent/testkit/customers";
import { acceptedJob, answer, claim, driveTo, happens, inquires, judge, replies, take } from "@contingent/testkit/jobs";

/** 2 %: 400 nanos for a verdict that records 20,000. */
const BY_VALUE: PriceTerms = { shape: "value", rate: 0.02, path: "/recovered", min: ZERO, max: nanos(500n) };

const JUDGED: ValidationCost = { provider: "judges", name: "court", cost: nanos(70n) };

/** A person is asked, for nothing, or a model, for 200 nanos. */
const REVIEWED = [inquires(0n), replies()];
const ADVISED = [inquires(), replies(200n)];

/** One job of every fate, by the names that the damages use. */
export async function everyFate(pool: Pool): Promise<Names> {
  const [failed, asked] = [await acceptedJob(pool), await acceptedJob(pool)];
  const valued = await acceptedJob(pool, { terms: { price: BY_VALUE, validation: JUDGED } });
  const [charged, charged2, credited, disputed, earned, settling, open] = await Promise.all([
    driveTo(pool, "closed"),
    driveTo(pool, "closed"),
    driveTo(pool, "closed"),
    driveTo(pool, "closed"),
    driveTo(pool, "closed", { terms: { disputeWindowMs: 0 } }),
    driveTo(pool, "settling"),
    driveTo(pool, "attempting"),
    take(pool, asked, claim(), answer(), inquires()),
    take(pool, failed, claim(), answer(), ...REVIEWED, judge("fail"), happens("cancel"), happens("settled")),
    take(pool, valued, claim(), answer(), ...ADVISED, judge("pass", 1, nanos(20_000n)), happens("settled")),
  ]);
  for (const amount of [nanos(100n), nanos(200n)]) {
    await issueCreditNote(pool, { jobId: credited, amount, reason: "Sorry.", ref: amount.toString() });
  }
  await openDispute(pool, { jobId: disputed, asked: nanos(300n), reason: "It is wrong.", reverification: {} });
  await earnDue(pool, 10);
  const charges = { valued, charged2, charged, credited, disputed, earned };
  return {
    ...charges,
    settling,
    open,
    asked,
    failed,
    ...(await everyWayToPay(pool)),
    ...(await statementToDamage(pool)),
  };
}

/** Jobs of a customer who has paid before, with 600 nanos held for each, and of one who has a limit. */
async function everyWayToPay(pool: Pool): Promise<Names> {
  const grants = [{ amount: 400n, kind: "promotion" } as const, { amount: 1_000n }, { amount: 5_000n, priority: 200 }];
  const payer = await customerWith(pool, { grants });
  const [promo = "", topup = "", unused = ""] = payer.grants;
  const limited = await customerWith(pool, { limit: { amount: 1_000n, period: "month" } });
  await acceptedJob(pool, { customerId: limited.id });
  const price = {
    shape: "tiered",
    amount: nanos(600n),
    bands: [
      { fromScore: 0.5, fraction: 0.5 },
      { fromScore: 0.9, fraction: 1 },
    ],
  } as const;
  // 400 of the promotion and 200 of the top-up are held, and 300 of the promotion are spent.
  const shared = await acceptedJob(pool, { customerId: payer.id, terms: { price, attemptsMax: 1 } });
  await take(pool, shared, claim(), answer(), judge("partial"), happens("settled"));
  const prepaid = await driveTo(pool, "attempting", { customerId: payer.id, terms: { price } });
  return { prepaid, shared, promo, topup, unused, limited: limited.id };
}

/** Ids by the names that stand for them in the statements of a damage. */
export type Names = Readonly<Record<string, string>>;

/** Runs the statements with every trigger and foreign key off. */
export async function plant(pool: Pool, sql: readonly string[], names: Names): Promise<void> {
  await transaction(pool, (client) => damage(client, sql, names));
}

/** Looks at damaged books from within the transaction that damaged them, which is then taken back. */
export async function whileDamaged<T>(
  pool: Pool,
  sql: readonly string[],
  names: Names,
  look: (client: Queryable) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await damage(client, sql, names);
    return await look(client);
  } finally {
    await client.query("ROLLBACK");
    client.release();
  }
}

async function damage(client: Queryable, sql: readonly string[], names: Names): Promise<void> {
  await client.query({ text: "SET LOCAL session_replication_role = replica" });
  for (const statement of sql) {
    const text = Object.entries(names).reduce((t, [name, id]) => t.replaceAll(`$${name}`, id), statement);
    const { rowCount } = await client.query({ text });
    if (rowCount === 0) throw new Error(`no damage was done by: ${text}`);
  }
}
