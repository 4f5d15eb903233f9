-- What each leaf of the validator tree said, and the numbers that the answer carries about itself, which decide nothing.
-- Null leaves: the verdict is older than this record. What each element holds: LeafVerdict in core.
ALTER TABLE verdict
  ADD COLUMN leaves   jsonb,
  ADD COLUMN features jsonb NOT NULL DEFAULT '{}',
  -- Index of the step of the cascade that the judged answer was made on: steps may have thresholds of their own. Null: none
  -- had one when the verdict was reached.
  ADD COLUMN step     int CHECK (step >= 0);
