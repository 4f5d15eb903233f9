-- Answers to requests with an Idempotency-Key are kept for a while and then deleted, the oldest first. Rows are only ever
-- added at the end of this index.
CREATE INDEX idempotency_by_age ON idempotency (created_at);
