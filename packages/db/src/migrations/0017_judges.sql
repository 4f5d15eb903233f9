-- Models that judge (llm_judge), how they did on answers that are known to be bad, and whether they may go on.

-- One model in one version of the validator, for one outcome type. Its id is made of these, so that two who meet it first
-- give it the same.
CREATE FUNCTION judge_id(outcome_type text, model text, validator text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT 'jdg_' || md5(jsonb_build_array($1, $2, $3)::text)
$$;

CREATE TABLE judge (
  id           text PRIMARY KEY,
  outcome_type text NOT NULL,
  model        text NOT NULL,
  -- `name@version`.
  validator    text NOT NULL,
  first_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT judge_id CHECK (id = judge_id(outcome_type, model, validator))
);
CREATE INDEX judge_of_type ON judge (outcome_type, id);

-- A known-bad answer that was put before a judge along with a real one.
CREATE TABLE judge_canary (
  number                  bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  judge_id                text NOT NULL REFERENCES judge (id),
  inquiry_id              text NOT NULL UNIQUE REFERENCES inquiry (id),
  outcome_type_version_id text NOT NULL REFERENCES outcome_type_version (id),
  -- How it had been made bad.
  kind                    text NOT NULL,
  passed                  boolean NOT NULL,
  -- The share of such answers that the version lets its judges pass.
  share_max               double precision NOT NULL CHECK (share_max >= 0 AND share_max < 1),
  at                      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX judge_canary_of_judge ON judge_canary (judge_id, number DESC);

-- A judge is suspended, reinstated, suspended again: turn by turn, so that two who see the same write it once.
CREATE TABLE judge_suspension (
  judge_id      text NOT NULL REFERENCES judge (id),
  turn          int NOT NULL CHECK (turn > 0),
  event         text NOT NULL CHECK ((event = 'suspended') = (turn % 2 = 1) AND event IN ('suspended', 'reinstated')),
  -- The key of the operator; null: nobody but the count.
  by            text,
  reason        text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 2000),
  -- The last known-bad answer that was counted. What was before a reinstatement does not count after it.
  canaries_until bigint NOT NULL,
  at            timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (judge_id, turn),
  CONSTRAINT reinstated_by_somebody CHECK (event = 'suspended' OR by IS NOT NULL)
);

CREATE FUNCTION judge_turns_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.turn > 1 AND NOT EXISTS (SELECT 1 FROM judge_suspension WHERE judge_id = NEW.judge_id AND turn = NEW.turn - 1) THEN
    RAISE EXCEPTION 'turn % of judge % does not follow another', NEW.turn, NEW.judge_id
      USING ERRCODE = 'restrict_violation', CONSTRAINT = 'judge_turns_follow';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER turns_follow BEFORE INSERT ON judge_suspension FOR EACH ROW EXECUTE FUNCTION judge_turns_follow();

-- Counted with the reply that tells of it, by whoever writes that.
CREATE FUNCTION canary_is_counted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  about job;
  judging text;
BEGIN
  SELECT * INTO STRICT about FROM job WHERE id = NEW.job_id;
  judging := judge_id(about.outcome_type, NEW.name, NEW.validator);
  INSERT INTO judge (id, outcome_type, model, validator) VALUES (judging, about.outcome_type, NEW.name, NEW.validator)
  ON CONFLICT DO NOTHING;
  INSERT INTO judge_canary (judge_id, inquiry_id, outcome_type_version_id, kind, passed, share_max)
  SELECT judging, NEW.id, about.outcome_type_version_id, c.kind, c.passed, c."limit"
    FROM jsonb_to_record(NEW.detail -> 'canary') AS c (kind text, passed boolean, "limit" float8);
  RETURN NULL;
END $$;
CREATE TRIGGER is_counted AFTER UPDATE ON inquiry FOR EACH ROW
  WHEN (OLD.outcome IS NULL AND NEW.outcome = 'replied' AND NEW.asked = 'model' AND NEW.detail ? 'canary')
  EXECUTE FUNCTION canary_is_counted();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON judge
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON judge_canary
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON judge_suspension
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE UPDATE, DELETE ON judge, judge_canary, judge_suspension FROM contingent_service;
