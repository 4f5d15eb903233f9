-- What a closed statement took off a charge: so much less of it can be given back.

-- Allowance, bands and percentage of a line, together; only lines that have any. A fixed discount is off the whole
-- statement and off none of its lines. Rows are written while the statement is being closed, and count when it is closed.
CREATE TABLE statement_reduction (
  job_id       text PRIMARY KEY REFERENCES charge (job_id),
  statement_id text NOT NULL REFERENCES statement (id),
  amount_nanos bigint NOT NULL CHECK (amount_nanos > 0)
);
CREATE INDEX statement_reduction_by_statement ON statement_reduction (statement_id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON statement_reduction
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE ON statement_reduction FROM contingent_service;

-- A statement reduces its own charges while it is being closed, each by no more than credit notes have left of it. There
-- are no more notes until it is closed (below).
CREATE FUNCTION reduction_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  bad record;
BEGIN
  SELECT a.job_id, a.statement_id, a.amount_nanos INTO bad
    FROM added a
    JOIN charge c ON c.job_id = a.job_id
    LEFT JOIN statement s ON s.id = a.statement_id AND s.state = 'closing' AND s.customer_id = c.customer_id
         AND c.at >= s.period_start AND c.at < s.period_end
   WHERE s.id IS NULL OR a.amount_nanos > c.amount_nanos
         - coalesce((SELECT max(n.credited_after_nanos) FROM credit_note n WHERE n.job_id = a.job_id), 0)
   LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION '% cannot take % off the charge for %', bad.statement_id, bad.amount_nanos, bad.job_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'reduction_fits';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER reduction_fits AFTER INSERT ON statement_reduction
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION reduction_fits();

-- No statement is closed without having said what it takes off which charge.
CREATE FUNCTION statement_is_itemized() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  recorded numeric;
  stated numeric;
BEGIN
  stated := NEW.allowance_nanos + NEW.allowance_prepaid_nanos + NEW.bands_nanos + NEW.bands_prepaid_nanos
            + NEW.discount_nanos + NEW.discount_prepaid_nanos;
  SELECT coalesce(sum(amount_nanos), 0) INTO recorded FROM statement_reduction WHERE statement_id = NEW.id;
  IF recorded <> stated THEN
    RAISE EXCEPTION 'the reductions of % come to %, those of its charges to %', NEW.id, stated, recorded
      USING ERRCODE = 'check_violation', CONSTRAINT = 'statement_is_itemized';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER statement_is_itemized AFTER UPDATE ON statement FOR EACH ROW
  WHEN (NEW.state = 'closed') EXECUTE FUNCTION statement_is_itemized();

-- What the charge's statement had taken off it when the note was given. Null: that statement was still to come, and
-- reduces only what this note leaves.
ALTER TABLE credit_note ADD COLUMN reduced_nanos bigint CHECK (reduced_nanos >= 0);
-- Statements until now left only credits of their own period out.
ALTER TABLE credit_note DISABLE TRIGGER append_only;
UPDATE credit_note n SET reduced_nanos = 0
  FROM charge c JOIN statement s ON s.customer_id = c.customer_id AND s.period_start = period_start('month', c.at)
 WHERE c.job_id = n.job_id AND n.at >= s.period_end;
ALTER TABLE credit_note ENABLE TRIGGER append_only;
ALTER TABLE credit_note DROP CONSTRAINT credit_note_within_charge;
ALTER TABLE credit_note ADD CONSTRAINT credit_note_within_charge
  CHECK (credited_before_nanos + amount_nanos + coalesce(reduced_nanos, 0) <= charge_nanos);

-- A note states that amount rightly. Its customer's account is locked, so that no closing begins meanwhile; what a closing
-- that has begun takes off is not known before it has ended.
CREATE FUNCTION credit_note_knows_reduction() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  billed text;
  reduced bigint;
BEGIN
  PERFORM FROM customer_account WHERE customer_id = NEW.customer_id FOR NO KEY UPDATE;
  SELECT s.state INTO billed
    FROM charge c JOIN statement s ON s.customer_id = c.customer_id AND s.period_start = period_start('month', c.at)
   WHERE c.job_id = NEW.job_id;
  IF billed = 'closing' THEN
    RAISE EXCEPTION 'the statement of the charge for % is being closed', NEW.job_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'credit_note_awaits_closing';
  END IF;
  IF billed = 'closed' THEN
    reduced := coalesce((SELECT amount_nanos FROM statement_reduction WHERE job_id = NEW.job_id), 0);
  END IF;
  IF NEW.reduced_nanos IS DISTINCT FROM reduced THEN
    RAISE EXCEPTION 'the credit note % says that the charge was reduced by %, and it is %', NEW.id, NEW.reduced_nanos, reduced
      USING ERRCODE = 'check_violation', CONSTRAINT = 'credit_note_knows_reduction';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER credit_note_knows_reduction AFTER INSERT ON credit_note
  FOR EACH ROW EXECUTE FUNCTION credit_note_knows_reduction();
