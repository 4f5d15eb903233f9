-- What customers have: prepaid money in grants, spending limits, terms of their own, and a clock. And one way to post.

-- One row per customer: the only row of theirs that many jobs contend for. Whoever locks it has locked its job rows before
-- and locks its grants after.
CREATE TABLE customer_account (
  customer_id       text PRIMARY KEY REFERENCES customer (id),
  billing           text NOT NULL DEFAULT 'on_account' CHECK (billing IN ('on_account', 'prepaid')),
  limit_nanos       bigint CHECK (limit_nanos >= 0),
  limit_period      text CHECK (limit_period IN ('day', 'month')),
  -- What was used already when the limit was set: a limit below that breaks no accepted job.
  limit_floor_nanos bigint NOT NULL DEFAULT 0,
  -- Shares of the limit at which an event tells of it; and the prepaid balance below which one does.
  alert_shares      double precision[] NOT NULL DEFAULT '{0.8,1}',
  alert_below_nanos bigint CHECK (alert_below_nanos >= 0),
  held_nanos        bigint NOT NULL DEFAULT 0 CHECK (held_nanos >= 0),
  -- Charged since `spent_from`, the beginning of the limit's period (a month where there is no limit).
  spent_nanos       bigint NOT NULL DEFAULT 0 CHECK (spent_nanos >= 0),
  spent_from        timestamptz NOT NULL,
  -- By how much a test clock is ahead of the real one. The customer's time is clock_timestamp() + clock_offset.
  clock_offset      interval NOT NULL DEFAULT '0',
  -- The end of the last closed period, in the customer's time: nothing of theirs is dated before it.
  closed_until      timestamptz NOT NULL,
  updated_at        timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT customer_account_limit CHECK ((limit_nanos IS NULL) = (limit_period IS NULL)),
  CONSTRAINT customer_account_within_limit
    CHECK (limit_nanos IS NULL OR spent_nanos + held_nanos <= greatest(limit_nanos, limit_floor_nanos))
) WITH (fillfactor = 50);
-- For the clock that is furthest ahead: none, outside tests.
CREATE INDEX customer_account_clock ON customer_account (clock_offset) WHERE clock_offset > '0';

-- The beginning of the period that an instant lies in. Periods are of UTC.
CREATE FUNCTION period_start(period text, at timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT date_trunc(period, at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' $$;

CREATE FUNCTION open_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO customer_account (customer_id, spent_from, closed_until)
  VALUES (NEW.id, period_start('month', NEW.created_at), period_start('month', NEW.created_at));
  RETURN NULL;
END $$;
CREATE TRIGGER open_account AFTER INSERT ON customer FOR EACH ROW EXECUTE FUNCTION open_account();

INSERT INTO customer_account (customer_id, held_nanos, spent_nanos, spent_from, closed_until)
SELECT c.id,
       coalesce((SELECT sum(amount_nanos) FROM hold WHERE customer_id = c.id AND state = 'open'), 0),
       coalesce((SELECT sum(amount_nanos) FROM charge WHERE customer_id = c.id AND at >= period_start('month', now())), 0),
       period_start('month', now()), period_start('month', c.created_at)
  FROM customer c;

-- How far the most advanced test clock is ahead: what a search for due things by real time has to allow for.
CREATE FUNCTION clock_offset_max() RETURNS interval LANGUAGE sql STABLE AS
  $$ SELECT coalesce(max(clock_offset), '0') FROM customer_account WHERE clock_offset > '0' $$;

-- Prepaid money. `available` is what is neither spent nor held.
CREATE TABLE credit_grant (
  id              text PRIMARY KEY,
  customer_id     text NOT NULL REFERENCES customer (id),
  kind            text NOT NULL CHECK (kind IN ('top_up', 'promotion', 'credit', 'rebate')),
  -- Whoever brings the money in names it: the same reference never brings it in twice.
  ref             text NOT NULL,
  amount_nanos    bigint NOT NULL CHECK (amount_nanos > 0),
  available_nanos bigint NOT NULL,
  priority        int NOT NULL,
  expires_at      timestamptz,
  expiries        int NOT NULL DEFAULT 0,
  outcome_types   text[],
  created_at      timestamptz NOT NULL,
  UNIQUE (customer_id, kind, ref),
  CONSTRAINT credit_grant_not_overdrawn CHECK (available_nanos BETWEEN 0 AND amount_nanos)
) WITH (fillfactor = 70);
CREATE INDEX credit_grant_usable ON credit_grant (customer_id, priority, expires_at, id) WHERE available_nanos > 0;
CREATE INDEX credit_grant_expiring ON credit_grant (expires_at) WHERE available_nanos > 0 AND expires_at IS NOT NULL;

-- What a customer pays instead of the list prices, and what else they were promised. A version never changes; a job keeps
-- the one that was in force when it was accepted.
CREATE TABLE customer_terms (
  id             text PRIMARY KEY,
  customer_id    text NOT NULL REFERENCES customer (id),
  version        int NOT NULL CHECK (version >= 1),
  effective_from timestamptz NOT NULL,
  definition     json NOT NULL,
  resolved       json NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT now(),
  UNIQUE (customer_id, version)
);
CREATE INDEX customer_terms_in_force ON customer_terms (customer_id, effective_from DESC, version DESC);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON customer_terms FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE job ADD COLUMN customer_terms_id text REFERENCES customer_terms (id);

-- What an operator or customer should be told: delivered later, by whoever asks for it.
CREATE TABLE customer_event (
  id          text PRIMARY KEY,
  customer_id text NOT NULL REFERENCES customer (id),
  type        text NOT NULL,
  -- What it is about: the same thing is told once.
  subject     text NOT NULL,
  data        jsonb NOT NULL,
  at          timestamptz NOT NULL,
  UNIQUE (customer_id, type, subject)
);
CREATE INDEX customer_event_by_customer ON customer_event (customer_id, id DESC);

-- Where the money of a hold comes from. Prepaid: which grant gave how much, in the order in which it is spent.
ALTER TABLE hold ADD COLUMN billing text NOT NULL DEFAULT 'on_account' CHECK (billing IN ('on_account', 'prepaid'));
CREATE TABLE hold_slice (
  job_id       text NOT NULL REFERENCES hold (job_id),
  seq          int NOT NULL,
  grant_id     text NOT NULL REFERENCES credit_grant (id),
  amount_nanos bigint NOT NULL CHECK (amount_nanos > 0),
  PRIMARY KEY (job_id, seq),
  UNIQUE (job_id, grant_id)
);
CREATE INDEX hold_slice_by_grant ON hold_slice (grant_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON hold_slice FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE INDEX hold_open ON hold (customer_id) WHERE state = 'open';

ALTER TABLE charge ADD COLUMN billing text NOT NULL DEFAULT 'on_account' CHECK (billing IN ('on_account', 'prepaid'));
ALTER TABLE charge ALTER COLUMN at DROP DEFAULT;
CREATE INDEX charge_by_customer ON charge (customer_id, at, job_id);
CREATE INDEX job_closed_by_customer ON job (customer_id, closed_at, id) WHERE state = 'closed';

-- The books know more kinds now, and money that no job moves.
ALTER TABLE ledger_transaction
  DROP CONSTRAINT ledger_transaction_kind_check,
  ADD CONSTRAINT ledger_transaction_kind_check CHECK (kind IN (
    'top_up', 'grant', 'hold', 'cost', 'capture', 'void', 'dispute', 'credit', 'earn', 'expiry', 'adjustment',
    'commitment', 'rounding', 'statement', 'payment', 'reconciliation')),
  ALTER COLUMN job_id DROP NOT NULL,
  ADD CONSTRAINT ledger_transaction_of_a_job
    CHECK (job_id IS NOT NULL OR kind NOT IN ('hold', 'cost', 'capture', 'void', 'dispute', 'credit', 'earn')),
  ADD COLUMN customer_id text REFERENCES customer (id),
  -- To which day it belongs: by the customer's clock for their money, else when it was written.
  ADD COLUMN dated_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE ledger_transaction DISABLE TRIGGER append_only;
UPDATE ledger_transaction t SET customer_id = j.customer_id, dated_at = t.at
  FROM job j WHERE j.id = t.job_id AND t.kind <> 'cost';
UPDATE ledger_transaction SET dated_at = at WHERE kind = 'cost';
ALTER TABLE ledger_transaction ENABLE TRIGGER append_only;
ALTER TABLE ledger_transaction ADD CONSTRAINT ledger_transaction_of_a_customer
  CHECK ((customer_id IS NULL) = (kind IN ('cost', 'reconciliation')));
DROP INDEX ledger_transaction_once;
CREATE UNIQUE INDEX ledger_transaction_once ON ledger_transaction (job_id, (kind = 'hold'))
  WHERE kind IN ('hold', 'capture', 'void');
CREATE INDEX ledger_transaction_by_customer ON ledger_transaction (customer_id, dated_at, id) WHERE customer_id IS NOT NULL;

ALTER TABLE permitted_flow DISABLE TRIGGER append_only;
INSERT INTO permitted_flow (kind, account_class, direction) VALUES
  ('top_up', 'cash', 'debit'), ('top_up', 'customer:prepaid', 'credit'),
  ('grant', 'promo_issued', 'debit'), ('grant', 'customer:prepaid', 'credit'),
  ('hold', 'customer:prepaid', 'debit'), ('hold', 'customer:held', 'credit'),
  ('capture', 'customer:held', 'debit'), ('capture', 'customer:prepaid', 'credit'),
  ('void', 'customer:held', 'debit'), ('void', 'customer:prepaid', 'credit'),
  ('dispute', 'revenue:accrued', 'debit'), ('dispute', 'revenue:disputed', 'debit'),
  ('dispute', 'revenue:accrued', 'credit'), ('dispute', 'revenue:disputed', 'credit'),
  ('credit', 'contra_revenue:credit', 'debit'),
  ('credit', 'customer:prepaid', 'credit'), ('credit', 'receivable:unbilled', 'credit'),
  ('earn', 'revenue:accrued', 'debit'), ('earn', 'revenue:earned', 'credit'),
  ('expiry', 'customer:prepaid', 'debit'), ('expiry', 'breakage', 'credit'),
  ('adjustment', 'contra_revenue:adjustment', 'debit'),
  ('adjustment', 'customer:prepaid', 'credit'), ('adjustment', 'receivable:unbilled', 'credit'),
  ('commitment', 'receivable:unbilled', 'debit'), ('commitment', 'revenue:commitment', 'credit'),
  ('rounding', 'receivable:unbilled', 'debit'), ('rounding', 'rounding', 'debit'),
  ('rounding', 'receivable:unbilled', 'credit'), ('rounding', 'rounding', 'credit'),
  ('statement', 'receivable:billed', 'debit'), ('statement', 'receivable:unbilled', 'debit'),
  ('statement', 'receivable:billed', 'credit'), ('statement', 'receivable:unbilled', 'credit'),
  ('payment', 'cash', 'debit'), ('payment', 'receivable:billed', 'credit'),
  ('reconciliation', 'cogs:drift', 'debit'), ('reconciliation', 'payable', 'debit'),
  ('reconciliation', 'cogs:drift', 'credit'), ('reconciliation', 'payable', 'credit');
ALTER TABLE permitted_flow ENABLE TRIGGER append_only;

-- A balance of one account: by its postings, found by this index.
CREATE INDEX posting_by_account ON posting (account_class, account_of);

-- Nothing posts into a closed period of a customer. What closes a period is dated within it, and is guarded by the
-- statement that it belongs to.
CREATE FUNCTION refuse_closed_period() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  bad record;
BEGIN
  SELECT t.key, t.dated_at, a.closed_until INTO bad
    FROM added t JOIN customer_account a ON a.customer_id = t.customer_id
   WHERE t.dated_at < a.closed_until AND t.kind NOT IN ('adjustment', 'commitment', 'rounding', 'statement') LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '% is dated % and that period was closed until %', bad.key, bad.dated_at, bad.closed_until
      USING ERRCODE = 'check_violation', CONSTRAINT = 'refuse_closed_period';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER refuse_closed_period AFTER INSERT ON ledger_transaction
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_closed_period();

-- The one way to post. Entries are [{id, kind, key, job_id, customer_id, currency, dated_at, postings: [[class, of, nanos]]}];
-- without a date they are of now. It runs with the rights of its owner: nobody else may write these two tables.
CREATE FUNCTION book(entries jsonb) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  booked bigint;
BEGIN
  INSERT INTO ledger_transaction (id, kind, key, job_id, customer_id, currency, dated_at)
  SELECT e.id, e.kind, e.key, e.job_id, e.customer_id, e.currency, coalesce(e.dated_at, now())
    FROM jsonb_to_recordset(entries) AS e (
      id text, kind text, key text, job_id text, customer_id text, currency text, dated_at timestamptz);
  GET DIAGNOSTICS booked = ROW_COUNT;
  INSERT INTO posting (transaction_id, seq, kind, account_class, account_of, amount_nanos, currency)
  SELECT e.id, p.seq, e.kind, p.line ->> 0, p.line ->> 1, (p.line ->> 2)::bigint, e.currency
    FROM jsonb_to_recordset(entries) AS e (id text, kind text, currency text, postings jsonb),
         jsonb_array_elements(e.postings) WITH ORDINALITY AS p (line, seq);
  RETURN booked;
END $$;

-- A charge is in the books at its amount: earned from the customer, and owed by them or taken from what was held.
CREATE OR REPLACE FUNCTION charge_is_booked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM ledger_transaction t, LATERAL (
      SELECT coalesce(-sum(amount_nanos) FILTER (WHERE account_class = 'revenue:accrued'), 0) AS earned,
             coalesce(sum(amount_nanos) FILTER (WHERE account_class = 'receivable:unbilled' AND account_of = NEW.customer_id), 0) AS owed,
             coalesce(sum(amount_nanos) FILTER (WHERE account_class IN ('customer:held', 'customer:prepaid')), 0) AS taken,
             coalesce(sum(amount_nanos) FILTER (WHERE account_class = 'customer:held' AND account_of = NEW.customer_id), 0) AS held
        FROM posting p WHERE p.transaction_id = t.id) p
     WHERE t.key = 'charge:' || NEW.job_id AND t.kind = 'capture' AND t.job_id = NEW.job_id
       AND t.currency = NEW.currency AND t.customer_id = NEW.customer_id AND p.earned = NEW.amount_nanos
       AND CASE NEW.billing WHEN 'prepaid' THEN p.taken = NEW.amount_nanos AND p.held >= NEW.amount_nanos AND p.owed = 0
                            ELSE p.owed = NEW.amount_nanos AND p.taken = 0 END) THEN
    RAISE EXCEPTION 'the charge for % has no matching capture in the books', NEW.job_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'charge_is_booked';
  END IF;
  RETURN NULL;
END $$;

-- Nothing is charged, and no job is closed, within a closed period. (A later check of the same would find it too.)
CREATE FUNCTION charge_in_open_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM added c JOIN customer_account a ON a.customer_id = c.customer_id WHERE c.at < a.closed_until) THEN
    RAISE EXCEPTION 'a charge is dated within a closed period' USING ERRCODE = 'check_violation', CONSTRAINT = 'charge_in_open_period';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER charge_in_open_period AFTER INSERT ON charge
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION charge_in_open_period();
