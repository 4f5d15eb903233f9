/** Hazard: a period that takes something more after it was closed, or is closed twice, half or with a gap in its numbers. */
import { nanos } from "@contingent/core/money";
import { beginClosing, closeStatement, finishClosing } from "@contingent/ledger/statement/close";
import { closeDuePeriods } from "@contingent/ledger/statement/due";
import { payStatement } from "@contingent/ledger/statement/pay";
import { acceptedJob, answer, claim, happens, judge, partsOf, take, transitionBy } from "@contingent/testkit/jobs";
import { describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { Billed, brokenBooks, usd } from "./billing.ts";
import { outcomeOf } from "./by-hand.ts";

const db = databaseOfThisFile();

describe("a closed period", () => {
  test("is closed at its end and not before, one after the other", async () => {
    const customer = await Billed.open(db.pool);
    await customer.charged();
    expect(await closeStatement(db.pool, customer.statementId(0))).toMatchObject({ kind: "not_over" });
    await customer.moveTo(1);
    await customer.charged();
    await customer.moveTo(2);
    expect(await closeStatement(db.pool, customer.statementId(1))).toEqual({
      kind: "earlier_open",
      id: customer.statementId(0),
    });
    expect(await closeStatement(db.pool, customer.statementId(0))).toMatchObject({ kind: "begun" });
    expect(await closeStatement(db.pool, customer.statementId(1))).toMatchObject({ kind: "begun" });
    expect(await closeStatement(db.pool, customer.statementId(1))).toMatchObject({ kind: "begun_before" });
  });

  test("takes nothing more: charges are dated into the next one, and postings are refused", async () => {
    const customer = await Billed.open(db.pool);
    await customer.charged(usd(1));
    await customer.close(0);
    // Even if the customer's clock is behind.
    await customer.moveTo(0, 20);
    const late = await customer.charged(usd(2));
    expect((await customer.lines(1)).map((line) => line.jobId)).toEqual([late]);
    const booking = (kind: string, key: string, postings: string, datedAt: string): Promise<string> =>
      outcomeOf(db.pool, {
        text: `SELECT book(jsonb_build_array(jsonb_build_object('id', $1::text, 'kind', $2::text, 'key', $3::text,
                 'customer_id', $4::text, 'currency', 'USD', 'dated_at', $5::text, 'postings', $6::jsonb)))`,
        values: [`txn_${key}`, kind, key, customer.id, datedAt, postings],
      });
    const within = new Date(customer.period(0).endMs - 1).toISOString();
    const payment = `[["cash", "", 5], ["receivable:billed", "${customer.id}", -5]]`;
    const rounding = `[["rounding", "", 5], ["receivable:unbilled", "${customer.id}", -5]]`;
    const [closed, open] = [customer.statementId(0), customer.statementId(1)];
    expect(await booking("payment", `pay:${closed}:x`, payment, within)).toBe("refuse_closed_period");
    expect(await booking("rounding", `round:${closed}`, rounding, within)).toBe("closes_a_period");
    expect(await booking("rounding", `round:${open}`, rounding, within)).toBe("closes_a_period");
    expect(await booking("rounding", "round:stm_none", rounding, within)).toBe("closes_a_period");
  });

  test("books its own closing only within itself", async () => {
    const customer = await Billed.open(db.pool);
    await customer.charged(usd(1));
    await customer.moveTo(1);
    expect(await beginClosing(db.pool, customer.statementId(0))).toMatchObject({ kind: "begun" });
    const { endMs } = customer.period(0);
    const rounding = `[["rounding", "", 5], ["receivable:unbilled", "${customer.id}", -5]]`;
    const booked = (datedAtMs: number, of = customer.id): Promise<string> =>
      outcomeOf(
        db.pool,
        {
          text: `SELECT book(jsonb_build_array(jsonb_build_object('id', 'txn_r', 'kind', 'rounding', 'key', $1::text,
                   'customer_id', $2::text, 'currency', 'USD', 'dated_at', to_timestamp($3::float8 / 1000), 'postings', $4::jsonb)))`,
          values: [`round:${customer.statementId(0)}`, of, datedAtMs, rounding],
        },
        "ROLLBACK",
      );
    expect(await booked(endMs)).toBe("closes_a_period");
    expect(await booked(customer.period(0).startMs - 1)).toBe("closes_a_period");
    expect(await booked(endMs - 1, (await Billed.open(db.pool)).id)).toBe("closes_a_period");
    expect(await booked(endMs - 1)).toBe("committed");
  });

  test("is what a statement needs: of an open one there is none", async () => {
    const customer = await Billed.open(db.pool);
    const { startMs, endMs } = customer.period(0);
    const text = `INSERT INTO statement (id, customer_id, period_start, period_end, currency)
                  VALUES ($1, $2, to_timestamp($3::float8 / 1000), to_timestamp($4::float8 / 1000), 'USD')`;
    const values = [customer.statementId(0), customer.id, startMs, endMs];
    expect(await outcomeOf(db.pool, { text, values })).toBe("statement_of_a_closed_period");
  });

  test("never changes, is never deleted, and never opens again, whoever asks", async () => {
    const customer = await Billed.open(db.pool);
    await customer.charged(usd(1));
    await customer.close(0);
    const id = customer.statementId(0);
    expect(await outcomeOf(db.pool, `UPDATE statement SET amount_due_nanos = 0 WHERE id = '${id}'`)).toBe(
      "statement_is_final",
    );
    expect(await outcomeOf(db.pool, `UPDATE statement SET state = 'closing' WHERE id = '${id}'`)).toBe(
      "statement_is_final",
    );
    expect(await outcomeOf(db.pool, `DELETE FROM statement WHERE id = '${id}'`)).toBe("statement_is_final");
    expect(await outcomeOf(db.pool, "TRUNCATE statement CASCADE")).toMatch(/statement_is_final|23001/);
    expect(
      await outcomeOf(
        db.pool,
        `UPDATE customer_account SET closed_until = closed_until - interval '1 month' WHERE customer_id = '${customer.id}'`,
      ),
    ).toBe("refuse_reopening");
  });

  test("of which the closing died half-way is finished by the next round, with every line once", async () => {
    const customer = await Billed.open(db.pool, { discountShare: 0.5 });
    await customer.charged(usd(1));
    await customer.moveTo(1);
    expect(await beginClosing(db.pool, customer.statementId(0))).toMatchObject({ kind: "begun" });
    await customer.charged(usd(5));
    expect(await customer.statement(0)).toMatchObject({
      head: { state: "closing" },
      number: null,
      totals: { amountDue: usd(0.5) },
    });
    const failed: unknown[] = [];
    await closeDuePeriods(db.pool, { graceMs: 365 * 86_400_000, limit: 50, failed: (_, error) => failed.push(error) });
    expect(failed).toEqual([]);
    expect(await customer.statement(0)).toMatchObject({
      head: { state: "closed" },
      totals: { linesBilled: 1, amountDue: usd(0.5) },
    });
    const [before] = [await customer.booked(0)];
    await Promise.all([
      finishClosing(db.pool, customer.statementId(0)),
      finishClosing(db.pool, customer.statementId(0)),
    ]);
    expect(await customer.booked(0)).toEqual(before);
  });

  test("closes by itself after its grace, over empty periods, and takes no more than one round each", async () => {
    const customer = await Billed.open(db.pool);
    await customer.charged(usd(1));
    const graceMs = 3_600_000;
    const rounds = async (): Promise<void> => {
      const failed: unknown[] = [];
      while (
        (await closeDuePeriods(db.pool, { graceMs, limit: 50, failed: (_, error) => failed.push(error) })) > 0 &&
        failed.length === 0
      );
      expect(failed).toEqual([]);
    };
    await customer.setClock(customer.period(0).endMs + graceMs - 60_000);
    await rounds();
    expect((await customer.statement(0)).head.state).toBe("open");
    await customer.moveTo(4);
    await rounds();
    expect((await customer.statement(0)).head.state).toBe("closed");
    const { rows } = await db.pool.query({
      text: "SELECT closed_until FROM customer_account WHERE customer_id = $1",
      values: [customer.id],
    });
    expect(rows).toEqual([{ closed_until: new Date(customer.period(4).startMs) }]);
  });
});

test("a charge that races with the closing is on exactly one statement", async () => {
  const customer = await Billed.open(db.pool);
  const delivered = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const id = await acceptedJob(db.pool, { customerId: customer.id });
      await take(db.pool, id, claim(), answer(), judge("pass"));
      return await transitionBy(db.pool, id, happens("settled"));
    }),
  );
  const commitNext = async (): Promise<void> => {
    const each = delivered.pop();
    if (each === undefined) throw new Error("there are not enough jobs");
    expect(await partsOf(db.pool).commit(each)).toBe(true);
    charged.push(each.next.id);
  };
  const charged: string[] = [];
  await commitNext();
  // The clock passes the period's end while charges are being made, and somebody closes it at once.
  await customer.setClock(customer.period(0).endMs - 50);
  const closed = { yet: false };
  const closing = (async () => {
    while ((await closeStatement(db.pool, customer.statementId(0))).kind === "not_over");
    closed.yet = true;
  })();
  // One is left for the time after.
  while (!closed.yet && delivered.length > 1) await commitNext();
  await closing;
  await commitNext();
  const [before, after] = [await customer.lines(0), await customer.lines(1)];
  expect([...before, ...after].map((line) => line.jobId).toSorted()).toEqual(charged.toSorted());
  expect([before.length, after.length]).not.toContain(0);
  expect((await customer.statement(0)).totals.linesBilled).toBe(before.length);
});

test("whoever closes a period while another one does finds nothing wrong with it", async () => {
  const customer = await Billed.open(db.pool);
  await customer.charged(usd(1.004));
  await customer.moveTo(1);
  const id = customer.statementId(0);
  let overtaken = false;
  const slow = Object.create(db.pool, {
    query: {
      value: async (statement: { readonly text: string }) => {
        // Its lines are added up. Before it holds them against the books the other one is done.
        if (statement.text.includes("AS owed")) {
          overtaken = true;
          await closeStatement(db.pool, id);
        }
        return await db.pool.query(statement);
      },
    },
  }) as typeof db.pool;
  expect(await closeStatement(slow, id)).toEqual({ kind: "begun", id });
  expect(overtaken).toBe(true);
  expect(await customer.statement(0)).toMatchObject({ totals: { amountDue: usd(1) } });
});

test("numbers have no gaps, however many statements are closed at once and however many of them fail", async () => {
  const customers = await Promise.all(Array.from({ length: 24 }, () => Billed.open(db.pool)));
  await Promise.all(customers.map((customer) => customer.charged(usd(1))));
  await Promise.all(customers.map((customer) => customer.moveTo(1)));
  const others = [db.another(4), db.another(4)];
  const failing = customers.filter((_, n) => n % 6 === 0);
  // The number is taken last: what fails before it, or with it, takes none.
  await db.pool.query(`
    CREATE FUNCTION fail_sometimes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.customer_id IN (${failing.map(({ id }) => `'${id}'`).join()}) THEN RAISE EXCEPTION 'not now'; END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER fail_sometimes BEFORE UPDATE ON statement FOR EACH ROW EXECUTE FUNCTION fail_sometimes()`);
  const results = await Promise.allSettled(
    customers.flatMap((customer) => others.map((pool) => closeStatement(pool, customer.statementId(0)))),
  );
  expect(results.filter(({ status }) => status === "rejected")).toHaveLength(failing.length * others.length);
  await db.pool.query("DROP TRIGGER fail_sometimes ON statement");
  await closeDuePeriods(db.pool, { graceMs: 0, limit: 50, failed: () => {} });
  const { rows } = await db.pool.query<{ year: string; count: number; last: number }>(`
    SELECT split_part(number, '-', 1) AS year, count(*)::int AS count, max(split_part(number, '-', 2)::int) AS last
      FROM statement WHERE state = 'closed' GROUP BY 1`);
  expect(rows.length).toBeGreaterThan(0);
  for (const { count, last } of rows) expect(count).toBe(last);
});

describe("payments", () => {
  test("add up to what is due and no further, each reference once", async () => {
    const customer = await Billed.open(db.pool);
    await customer.charged(usd(1));
    const statementId = customer.statementId(0);
    const pay = (ref: string, amount: bigint) =>
      payStatement(db.pool, { statementId, ref: `${customer.id} ${ref}`, amount: nanos(amount) });
    expect(await pay("a", usd(0.4))).toEqual({ kind: "no_statement" });
    await customer.close(0);
    expect(await pay("a", usd(0.4))).toEqual({ kind: "paid" });
    expect(await pay("a", usd(0.4))).toEqual({ kind: "paid_before" });
    expect(await pay("a", usd(0.3))).toMatchObject({ kind: "ref_taken" });
    expect(await pay("b", usd(0.61))).toEqual({ kind: "too_much", balance: usd(0.6) });
    expect(await pay("b", usd(0.6))).toEqual({ kind: "paid" });
    expect(await customer.statement(0)).toMatchObject({ paid: usd(1), balance: 0n });
    expect(await customer.balance("receivable:billed")).toBe(0n);
  });

  test("told at once by many are booked once, and never more than is due", async () => {
    const customer = await Billed.open(db.pool);
    await customer.charged(usd(1));
    await customer.close(0);
    const statementId = customer.statementId(0);
    const pay = (ref: string) =>
      payStatement(db.pool, { statementId, ref: `${customer.id} ${ref}`, amount: nanos(usd(0.4)) });
    const kinds = (await Promise.all(["a", "a", "b", "b", "c", "c"].map(pay))).map(({ kind }) => kind).toSorted();
    expect(kinds.filter((kind) => kind === "paid")).toHaveLength(2);
    expect(await customer.balance("receivable:billed")).toBe(usd(0.2));
    expect(
      await outcomeOf(
        db.pool,
        `INSERT INTO statement_payment VALUES ('${statementId}', '${customer.id} by hand', ${usd(0.3)}, now())`,
      ),
    ).toBe("payment_fits");
  });
});

test("after all of this the books are in order", async () => {
  expect(await brokenBooks(db.pool)).toEqual([]);
});
