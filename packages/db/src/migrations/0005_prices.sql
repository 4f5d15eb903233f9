-- A price may depend on a number that the outcome carries. It is read once, when the verdict is reached, and stays with
-- the verdict, so that a charge follows from pinned terms and the verdict alone, at any later time. Null: there is none.
ALTER TABLE verdict ADD COLUMN value_nanos bigint;

-- What reaching the verdict cost, where somebody is paid for it (a model that judges), and what was left free for it. The
-- cost is booked with the verdict, under `cost:{verdict}:reported`.
ALTER TABLE verdict
  ADD COLUMN cost_nanos    bigint NOT NULL DEFAULT 0 CHECK (cost_nanos >= 0),
  ADD COLUMN reserve_nanos bigint NOT NULL DEFAULT 0 CHECK (reserve_nanos >= 0);
