-- Labels that operators give by themselves: also to answers that were not good enough to be billed, so that a threshold can be
-- found that is lower than the present one.
CREATE TABLE operator_label (
  verdict_id text NOT NULL REFERENCES verdict (id),
  correct    boolean NOT NULL,
  reason     text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 2000),
  -- The key of whoever said so.
  given_by   text NOT NULL,
  at         timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- The same said again is the same; what is said later, and otherwise, counts.
CREATE UNIQUE INDEX operator_label_once ON operator_label (verdict_id, correct, md5(reason));
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON operator_label
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE ON operator_label FROM contingent_service;

CREATE FUNCTION operator_label_is_a_label() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM write_label(NEW.verdict_id, 'operator', NEW.correct);
  RETURN NULL;
END $$;
CREATE TRIGGER is_a_label AFTER INSERT ON operator_label FOR EACH ROW EXECUTE FUNCTION operator_label_is_a_label();

ALTER TABLE outcome_label DROP CONSTRAINT outcome_label_source_check;
ALTER TABLE outcome_label ADD CONSTRAINT outcome_label_source_check
  CHECK (source IN ('acceptance', 'dispute', 'operator', 'audit'));

-- Operators say whether an answer is right as a full outcome, whatever it was sold as.
DROP INDEX outcome_label_of_version;
DROP INDEX outcome_label_of_type;
CREATE INDEX outcome_label_of_version ON outcome_label (outcome_type_version_id, number DESC)
  WHERE decision = 'pass' OR source = 'operator';
CREATE INDEX outcome_label_of_type ON outcome_label (outcome_type, number DESC)
  WHERE decision = 'pass' OR source = 'operator';
