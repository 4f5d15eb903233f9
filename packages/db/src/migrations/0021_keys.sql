-- What a key may do, who made it, and how it ends. Its kind stands in `scope`, a word that came before there were scopes.
ALTER TABLE api_key
  -- What there was before may do everything, as it always could.
  ADD COLUMN scopes       text[] NOT NULL DEFAULT '{*}' CHECK (cardinality(scopes) > 0 AND array_position(scopes, NULL) IS NULL),
  ADD COLUMN mode         text NOT NULL DEFAULT 'live' CHECK (mode IN ('live', 'test')),
  -- Null: made by a program with rights of its own, not through the API.
  ADD COLUMN created_by   text REFERENCES api_key (id),
  -- The key that this one was made to take the place of, while both work.
  ADD COLUMN replaces     text REFERENCES api_key (id),
  ADD COLUMN revoked_by   text REFERENCES api_key (id) CHECK (revoked_by IS NULL OR revoked_at IS NOT NULL),
  -- To the minute, and written behind the requests.
  ADD COLUMN last_used_at timestamptz;
CREATE INDEX api_key_of_customer ON api_key (customer_id, id) WHERE customer_id IS NOT NULL;
CREATE INDEX api_key_of_operator ON api_key (id) WHERE scope = 'operator';
CREATE INDEX api_key_by_maker ON api_key (created_by, id) WHERE created_by IS NOT NULL;
CREATE INDEX api_key_by_replaced ON api_key (replaces) WHERE replaces IS NOT NULL;

-- A key can end, and end sooner; it never comes back, and never becomes one that may do more.
CREATE FUNCTION api_key_only_ends() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  may_change constant text[] = '{expires_at,revoked_at,revoked_by,last_used_at}';
BEGIN
  IF to_jsonb(NEW) - may_change = to_jsonb(OLD) - may_change
     AND (OLD.revoked_at IS NULL OR (OLD.revoked_at, OLD.revoked_by) IS NOT DISTINCT FROM (NEW.revoked_at, NEW.revoked_by))
     AND (OLD.expires_at IS NULL OR OLD.expires_at >= NEW.expires_at) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the key % can only end', OLD.id USING ERRCODE = 'restrict_violation', CONSTRAINT = 'api_key_only_ends';
END $$;
CREATE TRIGGER only_ends BEFORE UPDATE ON api_key FOR EACH ROW EXECUTE FUNCTION api_key_only_ends();

-- Books and decisions name the key that said so, so that keys stay; and services change nothing else of them.
REVOKE UPDATE, DELETE ON api_key FROM contingent_service;
GRANT UPDATE (expires_at, revoked_at, revoked_by, last_used_at) ON api_key TO contingent_service;
