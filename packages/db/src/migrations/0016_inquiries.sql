-- Somebody who was asked about an answer before there was a verdict on it: a model, a service or a person. A row is written
-- before anybody is asked, with the most that it may cost held against the job's cap, and ends once: with a reply, with a
-- silence that means something, without either (`broke`), or because the job does not wait any more (`dropped`).
CREATE TABLE inquiry (
  id            text PRIMARY KEY,
  job_id        text NOT NULL REFERENCES job (id),
  attempt_id    text NOT NULL REFERENCES attempt (id),
  -- `validator_error`: not a leaf of the tree asks, but a person is to decide because the validators keep breaking.
  kind          text NOT NULL CHECK (kind IN ('leaf', 'validator_error')),
  leaf          text NOT NULL,
  validator     text NOT NULL,
  asked         text NOT NULL CHECK (asked IN ('model', 'service', 'person')),
  -- Whom it is owed to, and for what of theirs; null: it costs nothing.
  provider      text,
  name          text,
  reserve_nanos bigint NOT NULL CHECK (reserve_nanos >= 0),
  cost_state    text NOT NULL CHECK (cost_state IN ('held', 'known', 'presumed', 'released')),
  cost_nanos    bigint NOT NULL DEFAULT 0 CHECK (cost_nanos >= 0),
  outcome       text CHECK (outcome IN ('replied', 'silence', 'broke', 'dropped')),
  score         double precision CHECK (score BETWEEN 0 AND 1),
  findings      jsonb,
  -- For people: votes, reasons, the response's id, an error. Never a key, never the prompt.
  detail        jsonb,
  replied_by    text,
  opened_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- By the customer's clock, like the instants of a job.
  due_at        timestamptz NOT NULL,
  ended_at      timestamptz,
  CONSTRAINT inquiry_is_open_or_over CHECK (
    (outcome IS NULL) = (cost_state = 'held') AND (outcome IS NULL) = (ended_at IS NULL)),
  CONSTRAINT inquiry_owes_somebody CHECK (
    (provider IS NULL) = (name IS NULL) AND (provider IS NOT NULL OR reserve_nanos + cost_nanos = 0)),
  CONSTRAINT inquiry_has_its_result CHECK (
    (score IS NOT NULL) = coalesce(outcome IN ('replied', 'silence'), false) AND (score IS NULL) = (findings IS NULL)),
  -- One at a time. A step may end one and open the next, in whatever order the statement does it.
  CONSTRAINT inquiry_one_open EXCLUDE USING btree (job_id WITH =) WHERE (outcome IS NULL) DEFERRABLE
);
CREATE INDEX inquiry_by_job ON inquiry (job_id);
-- Replies are read with the answer that they are about, and each question about it is answered once.
CREATE UNIQUE INDEX inquiry_one_reply ON inquiry (attempt_id, kind, leaf) WHERE outcome IN ('replied', 'silence');
-- What people are being asked, the oldest question first.
CREATE INDEX inquiry_review_queue ON inquiry (opened_at, id) WHERE asked = 'person' AND outcome IS NULL;

-- As an attempt: only a presumed cost may still become known.
CREATE TRIGGER ends_once BEFORE UPDATE ON inquiry FOR EACH ROW
  WHEN (OLD.cost_state IN ('known', 'released') OR (OLD.ended_at IS NOT NULL AND OLD.ended_at IS DISTINCT FROM NEW.ended_at))
  EXECUTE FUNCTION refuse_second_end();
CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON inquiry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
REVOKE DELETE ON inquiry FROM contingent_service;
