-- What was said of outcomes that were handed over for acceptance. Each row is written by the transition that it caused.
CREATE TABLE acceptance_decision (
  job_id           text NOT NULL,
  revision         int  NOT NULL,
  decision         text NOT NULL CHECK (decision IN ('accept', 'reject')),
  -- In the words of whoever decided; shown to the next attempt's model when the job is reworked.
  reason           text CHECK (char_length(reason) BETWEEN 1 AND 2000),
  decided_by       text NOT NULL CHECK (decided_by IN ('customer', 'operator')),
  -- Which outcome it was. `verdict_billable` is constant: nothing else is ever handed over. Nobody decides twice on one.
  verdict_id       text NOT NULL UNIQUE,
  verdict_billable boolean NOT NULL DEFAULT true CHECK (verdict_billable),
  at               timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (job_id, revision),
  FOREIGN KEY (job_id, revision) REFERENCES job_event (job_id, revision),
  FOREIGN KEY (verdict_id, job_id, verdict_billable) REFERENCES verdict (id, job_id, billable),
  CONSTRAINT rejection_has_reason CHECK (decision = 'accept' OR reason IS NOT NULL)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON acceptance_decision
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A rejected outcome is not charged for, whatever decides so.
CREATE FUNCTION charge_is_not_rejected() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM acceptance_decision WHERE verdict_id = NEW.verdict_id AND decision = 'reject') THEN
    RAISE EXCEPTION 'the outcome that % would be charged for was rejected', NEW.job_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'charge_is_not_rejected';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER charge_is_not_rejected BEFORE INSERT ON charge FOR EACH ROW EXECUTE FUNCTION charge_is_not_rejected();
