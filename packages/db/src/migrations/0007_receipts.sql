-- Signed receipts for charges, and the keys by which they can be verified for ever.

-- The public half of every key that has signed a receipt, so that a rotation takes nobody's proof away.
CREATE TABLE receipt_key (
  -- The key's RFC 7638 thumbprint.
  kid           text PRIMARY KEY,
  -- "d" would be the private half.
  public_jwk    jsonb NOT NULL CHECK (NOT public_jwk ? 'd' AND public_jwk ->> 'kid' = kid),
  first_used_at timestamptz NOT NULL DEFAULT now()
);

-- Issued when it is first asked for, and from then on the same text.
CREATE TABLE receipt (
  job_id    text PRIMARY KEY REFERENCES charge (job_id),
  kid       text NOT NULL REFERENCES receipt_key (kid),
  jws       text NOT NULL,
  issued_at timestamptz NOT NULL DEFAULT now()
);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON receipt_key FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON receipt FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
