-- The books count by the numbers of database transactions, which begin anew on another server. Where books were restored
-- from a backup, `restore.ts` replaces these two by such that count on from where the restored ones have ended.

-- The number of this database transaction, as the books have it.
CREATE FUNCTION books_xact() RETURNS xid8 LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT pg_current_xact_id()';
-- No running transaction has a lower number: what the books hold of those before is all there will ever be.
CREATE FUNCTION books_horizon() RETURNS xid8 LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT pg_snapshot_xmin(pg_current_snapshot())';

ALTER TABLE ledger_transaction ALTER COLUMN xact SET DEFAULT books_xact();
ALTER TABLE posting ALTER COLUMN xact SET DEFAULT books_xact();
ALTER TABLE statement ALTER COLUMN xact SET DEFAULT books_xact();

-- As it was (0002_books.sql), but for the number.
CREATE OR REPLACE FUNCTION postings_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  bad record;
BEGIN
  SELECT kind, direction, account_class, transaction_id INTO bad
    FROM added a WHERE NOT EXISTS (
      SELECT FROM permitted_flow f WHERE (f.kind, f.account_class, f.direction) = (a.kind, a.account_class, a.direction)) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'a % may not % % (ledger transaction %)', bad.kind, bad.direction, bad.account_class, bad.transaction_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'posting_permitted_flow';
  END IF;
  SELECT transaction_id AS id, sum(amount_nanos) AS total, bool_or(xact <> books_xact()) AS is_late INTO bad
    FROM added GROUP BY transaction_id
  HAVING sum(amount_nanos) <> 0 OR bool_or(xact <> books_xact()) LIMIT 1;
  IF bad.is_late THEN
    RAISE EXCEPTION 'ledger transaction % is booked already: nothing can be added to it', bad.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'postings_balance';
  ELSIF bad.id IS NOT NULL THEN
    RAISE EXCEPTION 'ledger transaction % does not balance: its postings sum to %', bad.id, bad.total
      USING ERRCODE = 'check_violation', CONSTRAINT = 'postings_balance';
  END IF;
  RETURN NULL;
END $$;
