-- What can happen to a charge: it waits until its dispute window is over, it is disputed, it is credited, it is earned.

-- What a credit note and a dispute name of a charge is what the charge says.
ALTER TABLE charge ADD CONSTRAINT charge_as_named UNIQUE (job_id, customer_id, amount_nanos);

-- Charges whose revenue is not earned yet: their dispute window is running, or they are disputed.
CREATE TABLE unearned (
  job_id       text PRIMARY KEY,
  customer_id  text NOT NULL,
  amount_nanos bigint NOT NULL,
  -- By the customer's clock. The row itself may outlive this a little: until somebody has earned it.
  due_at       timestamptz NOT NULL,
  FOREIGN KEY (job_id, customer_id, amount_nanos) REFERENCES charge (job_id, customer_id, amount_nanos)
);
CREATE INDEX unearned_due ON unearned (due_at);
CREATE TRIGGER unchanged BEFORE UPDATE OR TRUNCATE ON unearned FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Versions that say nothing of a dispute window have one of 30 days.
INSERT INTO unearned (job_id, customer_id, amount_nanos, due_at)
SELECT c.job_id, c.customer_id, c.amount_nanos,
       c.at + coalesce((v.resolved -> 'terms' ->> 'disputeWindowMs')::float8, 2592000000) * interval '1 millisecond'
  FROM charge c JOIN job j ON j.id = c.job_id JOIN outcome_type_version v ON v.id = j.outcome_type_version_id;

CREATE TABLE dispute (
  id             text PRIMARY KEY,
  job_id         text NOT NULL,
  customer_id    text NOT NULL,
  charge_nanos   bigint NOT NULL,
  reason         text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 2000),
  -- What was asked for; null: all that was left of the charge.
  asked_nanos    bigint,
  amount_nanos   bigint NOT NULL CHECK (amount_nanos > 0),
  -- What the validators said when they were run again on the stored evidence.
  reverification jsonb NOT NULL,
  opened_at      timestamptz NOT NULL,
  state          text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'upheld', 'credited', 'withdrawn')),
  resolved_at    timestamptz,
  -- In the words of the operator; a customer who withdraws owes nobody a reason.
  resolution     text CHECK (char_length(resolution) BETWEEN 1 AND 2000),
  -- A charge is disputed once at a time, and is not earned meanwhile.
  open_job_id    text GENERATED ALWAYS AS (CASE WHEN state = 'open' THEN job_id END) STORED
    UNIQUE REFERENCES unearned (job_id),
  UNIQUE (id, job_id),
  FOREIGN KEY (job_id, customer_id, charge_nanos) REFERENCES charge (job_id, customer_id, amount_nanos),
  CONSTRAINT dispute_within_charge CHECK (amount_nanos <= charge_nanos AND coalesce(asked_nanos, amount_nanos) = amount_nanos),
  CONSTRAINT dispute_resolution CHECK (
    (state = 'open') = (resolved_at IS NULL) AND (state IN ('upheld', 'credited')) = (resolution IS NOT NULL))
);
-- The same request again is the same dispute.
CREATE UNIQUE INDEX dispute_once ON dispute (job_id, md5(reason), coalesce(asked_nanos, 0));
CREATE INDEX dispute_by_customer ON dispute (customer_id, id);

CREATE FUNCTION dispute_is_resolved_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state <> 'open' OR NEW.state = 'open'
     OR to_jsonb(OLD) - '{state,resolved_at,resolution,open_job_id}'::text[]
        <> to_jsonb(NEW) - '{state,resolved_at,resolution,open_job_id}'::text[] THEN
    RAISE EXCEPTION 'dispute % is resolved once, and nothing else of it changes', OLD.id
      USING ERRCODE = 'restrict_violation', CONSTRAINT = 'dispute_is_resolved_once';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER resolved_once BEFORE UPDATE ON dispute FOR EACH ROW EXECUTE FUNCTION dispute_is_resolved_once();
CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON dispute FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What customers get back. The notes of a job are a chain: each begins at what was credited before, which is nothing or
-- where another note of the job ends, and no two begin at the same. So the last one ends at the sum of all, and since it
-- must not end beyond the charge, no number of notes at once credits more than was charged.
CREATE TABLE credit_note (
  id                    text PRIMARY KEY,
  job_id                text NOT NULL,
  -- Null: given without a dispute.
  dispute_id            text UNIQUE,
  customer_id           text NOT NULL,
  -- Whoever gives it names it: the same reference never gives twice. The note of a dispute is named by its dispute.
  ref                   text CHECK (char_length(ref) BETWEEN 1 AND 255),
  reason                text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 2000),
  amount_nanos          bigint NOT NULL CHECK (amount_nanos > 0),
  charge_nanos          bigint NOT NULL,
  credited_before_nanos bigint NOT NULL CHECK (credited_before_nanos >= 0),
  credited_after_nanos  bigint NOT NULL GENERATED ALWAYS AS (credited_before_nanos + amount_nanos) STORED,
  follows_nanos         bigint GENERATED ALWAYS AS (NULLIF(credited_before_nanos, 0)) STORED,
  -- Prepaid money that it has become; null: it was taken off what the customer owes.
  grant_id              text UNIQUE REFERENCES credit_grant (id),
  at                    timestamptz NOT NULL,
  UNIQUE (job_id, credited_before_nanos),
  UNIQUE (job_id, credited_after_nanos),
  UNIQUE (job_id, ref),
  FOREIGN KEY (job_id, customer_id, charge_nanos) REFERENCES charge (job_id, customer_id, amount_nanos),
  FOREIGN KEY (dispute_id, job_id) REFERENCES dispute (id, job_id),
  CONSTRAINT credit_note_follows FOREIGN KEY (job_id, follows_nanos) REFERENCES credit_note (job_id, credited_after_nanos),
  CONSTRAINT credit_note_within_charge CHECK (credited_before_nanos + amount_nanos <= charge_nanos),
  CONSTRAINT credit_note_named CHECK ((ref IS NULL) = (dispute_id IS NOT NULL))
);
CREATE INDEX credit_note_by_customer ON credit_note (customer_id, at, id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_note FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- No credit without its note, and nothing moves in or out of dispute without one.
ALTER TABLE ledger_transaction
  ADD COLUMN credit_note_id text GENERATED ALWAYS AS (CASE WHEN kind = 'credit' THEN substr(key, 8) END) STORED
    REFERENCES credit_note (id) DEFERRABLE INITIALLY DEFERRED,
  ADD COLUMN dispute_id text GENERATED ALWAYS AS (CASE WHEN kind = 'dispute' THEN split_part(key, ':', 2) END) STORED
    REFERENCES dispute (id) DEFERRABLE INITIALLY DEFERRED;

-- And the other way round: a note is in the books at its amount, given back in the way in which it was paid.
CREATE FUNCTION credit_note_is_booked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM ledger_transaction t JOIN charge c ON c.job_id = NEW.job_id AND c.currency = t.currency,
           LATERAL (
      SELECT coalesce(sum(amount_nanos) FILTER (WHERE account_class = 'contra_revenue:credit'), 0) AS given,
             coalesce(-sum(amount_nanos) FILTER (WHERE account_class = 'receivable:unbilled' AND account_of = NEW.customer_id), 0) AS off,
             coalesce(-sum(amount_nanos) FILTER (WHERE account_class = 'customer:prepaid' AND account_of = NEW.grant_id), 0) AS back
        FROM posting p WHERE p.transaction_id = t.id) p
     WHERE t.key = 'credit:' || NEW.id AND t.kind = 'credit' AND t.job_id = NEW.job_id AND t.customer_id = NEW.customer_id
       AND t.dated_at = NEW.at AND p.given = NEW.amount_nanos
       AND CASE c.billing WHEN 'prepaid' THEN p.back = NEW.amount_nanos ELSE NEW.grant_id IS NULL AND p.off = NEW.amount_nanos END) THEN
    RAISE EXCEPTION 'credit note % is not in the books as it should be', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'credit_note_is_booked';
  END IF;
  IF NEW.dispute_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM dispute WHERE id = NEW.dispute_id AND state = 'credited' AND amount_nanos >= NEW.amount_nanos) THEN
    RAISE EXCEPTION 'credit note % is for a dispute that was not decided so', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'credit_note_is_decided';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER credit_note_is_booked AFTER INSERT ON credit_note
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION credit_note_is_booked();

-- What a dispute puts in doubt is in the books as such for as long as it is open.
CREATE FUNCTION dispute_is_booked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  doubted bigint;
BEGIN
  SELECT coalesce(-sum(p.amount_nanos), 0) INTO doubted
    FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
   WHERE t.key IN ('dispute:' || NEW.id || ':opened', 'dispute:' || NEW.id || ':resolved')
     AND t.kind = 'dispute' AND t.job_id = NEW.job_id AND p.account_class = 'revenue:disputed';
  IF doubted <> (CASE NEW.state WHEN 'open' THEN NEW.amount_nanos ELSE 0 END) THEN
    RAISE EXCEPTION 'dispute % is %, and of its % there are % in dispute', NEW.id, NEW.state, NEW.amount_nanos, doubted
      USING ERRCODE = 'check_violation', CONSTRAINT = 'dispute_is_booked';
  END IF;
  IF NEW.state = 'credited' AND NOT EXISTS (SELECT FROM credit_note WHERE dispute_id = NEW.id) THEN
    RAISE EXCEPTION 'dispute % is called credited, and nothing was credited', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'dispute_is_credited';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER dispute_is_booked AFTER INSERT OR UPDATE ON dispute
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dispute_is_booked();

-- A charge stops waiting by being earned, at its amount, and by nothing else.
CREATE FUNCTION unearned_is_earned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
     WHERE t.key = 'earn:' || OLD.job_id AND t.kind = 'earn' AND t.job_id = OLD.job_id
       AND p.account_class = 'revenue:earned' AND p.amount_nanos = -OLD.amount_nanos) THEN
    RAISE EXCEPTION 'the charge for % awaits the end of its dispute window, and was not earned', OLD.job_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'unearned_is_earned';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER unearned_is_earned AFTER DELETE ON unearned
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION unearned_is_earned();
