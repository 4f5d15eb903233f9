-- Who holds a job while it is attempted, and when that process was last seen. Its jobs need not wait for the end of their
-- leases, which are as long as a model may take to answer, to be taken from a process that is gone.
CREATE TABLE holder (
  id      text PRIMARY KEY,
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Null: it was begun by a process that does not say so, and ends with its lease.
ALTER TABLE attempt ADD COLUMN holder text;
-- Those that are under way, so that history costs nothing.
CREATE INDEX attempt_held ON attempt (holder) WHERE cost_state = 'held' AND holder IS NOT NULL;
