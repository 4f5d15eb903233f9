-- Circuit breakers: whether a provider's model is worth a call now, as all processes see it. What opens and closes one is
-- decided in core/breaker; here two that see the same write it once.
CREATE TABLE breaker (
  provider  text NOT NULL,
  model     text NOT NULL,
  state     text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open', 'half_open')),
  -- The fence: number of the last change.
  revision  integer NOT NULL DEFAULT 1 CHECK (revision > 0),
  -- Since when it is closed, or is not.
  since     timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- The operator's key; null: it decides by itself.
  forced_by text,
  because   text NOT NULL DEFAULT 'Nothing has failed yet.' CHECK (char_length(because) BETWEEN 1 AND 2000),
  openings  integer NOT NULL DEFAULT 0 CHECK (openings >= 0),
  -- From when on one process may make a probe.
  probe_at  timestamptz,
  PRIMARY KEY (provider, model),
  CONSTRAINT probe_of_what_is_not_closed CHECK ((probe_at IS NOT NULL) = (state <> 'closed' AND forced_by IS NULL)),
  CONSTRAINT nobody_forces_a_probe CHECK (forced_by IS NULL OR state <> 'half_open')
) WITH (fillfactor = 50);

-- What came of calls, second by second, in a ring that is longer than the longest window: nothing has to be deleted. Calls
-- count under the revision of the breaker that let them through.
CREATE TABLE breaker_tally (
  provider    text NOT NULL,
  model       text NOT NULL,
  slot        integer NOT NULL CHECK (slot = second % 64),
  -- Of the epoch.
  second      bigint NOT NULL,
  revision    integer NOT NULL,
  calls       integer NOT NULL CHECK (calls >= failures),
  failures    integer NOT NULL CHECK (failures >= 0),
  spent_nanos bigint NOT NULL CHECK (spent_nanos >= burnt_nanos),
  burnt_nanos bigint NOT NULL CHECK (burnt_nanos >= 0),
  PRIMARY KEY (provider, model, slot)
) WITH (fillfactor = 50);
